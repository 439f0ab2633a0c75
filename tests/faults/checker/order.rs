//! One serial order explains everything: what was answered before something else was asked comes before it, and whoever
//! was refused came at a moment when there was not enough.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::replay::{Past, Replay};
use crate::history::{Answer, Attempt, Call, History, Moment, Wish};
use crate::truth::{Event, Truth};

pub fn check(history: &History, truth: &Truth, replay: &Replay, complaints: &mut Vec<String>) {
    let done = done(history, truth);
    let mut calls: BTreeMap<Uuid, Vec<&Call>> = BTreeMap::new();
    for call in &history.calls {
        calls.entry(call.room_type).or_default().push(call);
    }
    for (room_type, calls) in calls {
        let times = Times::of(&calls);
        let Some(past) = replay.pasts.get(&room_type) else {
            complaints.push(format!("room type {room_type} is not there"));
            continue;
        };
        for call in calls {
            let complaint = match call.yes() {
                Some((yes, _)) => in_order(call, yes.sequence, &times),
                None => refusals(call, done.get(call.key.as_str()).copied(), past, &times),
            };
            complaints.extend(complaint.err().map(|complaint| format!("key {}: {complaint}", call.key)));
        }
    }
}

/// The facts by which something was done that nobody was told of, by the keys of those who may have done it. A guest who
/// does not know what became of a change makes no second one of that kind.
fn done<'a>(history: &'a History, truth: &'a Truth) -> HashMap<&'a str, u64> {
    let told: HashSet<_> =
        history.calls.iter().filter_map(|call| call.yes().map(|(yes, _)| (call.room_type, yes.sequence))).collect();
    let untold = truth.events.iter().filter(|event| !told.contains(&(event.room_type_id, event.sequence)));
    let facts: HashMap<_, _> = untold.map(|event| ((event.booking_id, event.cause.as_str()), event.sequence)).collect();
    let made: HashMap<_, _> =
        truth.bookings.iter().map(|booking| (booking.external_reference.as_deref(), booking.id)).collect();
    let unknown_outcome = history.calls.iter().filter(|call| call.yes().is_none() && call.is_open());
    let fact = |call: &'a Call| {
        let booking = call.wish.booking().or_else(|| made.get(&Some(call.key.as_str())).copied())?;
        Some((call.key.as_str(), *facts.get(&(Some(booking), call.wish.cause()))?))
    };
    unknown_outcome.filter_map(fact).collect()
}

/// When the facts of a room type are known to have been asked for and to have happened.
struct Times {
    /// By the moment an acknowledgement was heard: the highest sequence number until then.
    happened: BTreeMap<Moment, u64>,
    /// By the moment a call was first sent: the lowest sequence number from then on.
    ahead: BTreeMap<Moment, u64>,
}

impl Times {
    fn of(calls: &[&Call]) -> Self {
        let mut yes: Vec<(Moment, Moment, u64)> = Vec::new();
        yes.extend(calls.iter().filter_map(|call| call.yes().map(|(yes, heard)| (call.sent(), heard, yes.sequence))));
        let (mut happened, mut ahead) = (BTreeMap::new(), BTreeMap::new());
        yes.sort_by_key(|(_, heard, _)| *heard);
        let mut highest = 0;
        for (_, heard, sequence) in &yes {
            highest = highest.max(*sequence);
            happened.insert(*heard, highest);
        }
        yes.sort_by_key(|(sent, _, _)| *sent);
        let mut lowest = u64::MAX;
        for (sent, _, sequence) in yes.iter().rev() {
            lowest = lowest.min(*sequence);
            ahead.insert(*sent, lowest);
        }
        Self { happened, ahead }
    }

    /// The last fact that is known to have happened before a moment.
    fn before(&self, moment: Moment) -> u64 {
        self.happened.range(..moment).next_back().map_or(0, |(_, sequence)| *sequence)
    }

    /// The first fact that is known to have been asked for after a moment.
    fn after(&self, moment: Moment) -> u64 {
        self.ahead.range(moment + 1..).next().map_or(u64::MAX, |(_, sequence)| *sequence)
    }
}

fn in_order(call: &Call, sequence: u64, times: &Times) -> Result<(), String> {
    match times.before(call.sent()) {
        before if before < sequence => Ok(()),
        before => Err(format!("acknowledged as {sequence}, although {before} had happened before it was asked for")),
    }
}

/// `done`: the fact by which it was done all the same, if it was: some attempt had no answer.
fn refusals(call: &Call, done: Option<u64>, past: &Past, times: &Times) -> Result<(), String> {
    for attempt in &call.attempts {
        if let Answer::No(code) = &attempt.answer {
            refusal(call, attempt, code, past, times)?;
            if let Some(done) = done.filter(|done| *done <= times.before(attempt.sent)) {
                return Err(format!("refused, although it had been done before that was asked: {done}"));
            }
        }
    }
    Ok(())
}

/// Whether, at some moment between the question and the answer, there was not enough.
fn refusal(call: &Call, attempt: &Attempt, code: &str, past: &Past, times: &Times) -> Result<(), String> {
    let (stay, rooms, own) = match call.wish {
        Wish::Book { stay, rooms, .. } => (stay, rooms, None),
        Wish::Confirm { booking, .. } => return too_late(booking, attempt, code, past, times),
        Wish::Amend { rooms, from, to, .. } => (to, rooms, Some(from)),
        Wish::Cancel { .. } => return Err(format!("a booking of one's own cannot be cancelled: {code}")),
    };
    if code != "sold_out" {
        return Err(format!("refused as {code}"));
    }
    let (from, to) = (times.before(attempt.sent), until(attempt, past, times));
    let besides = |date| if own.is_some_and(|own| own.covers(date)) { rooms } else { 0 };
    let too_few = |sequence| past.free(sequence, stay, besides).is_some_and(|free| free < rooms);
    match (from..=to).any(too_few) {
        true => Ok(()),
        false => Err(format!(
            "refused by node {} between {} and {} µs, although {rooms} rooms were free in room type {} for {stay:?}: \
             after fact {from}, and until {to}",
            attempt.node, attempt.sent, attempt.heard, call.room_type
        )),
    }
}

/// The last fact that may have happened before an answer.
fn until(attempt: &Attempt, past: &Past, times: &Times) -> u64 {
    times.after(attempt.heard).saturating_sub(1).min(past.last())
}

/// Whether a hold had run out when its guest came to confirm it.
fn too_late(booking: Uuid, attempt: &Attempt, code: &str, past: &Past, times: &Times) -> Result<(), String> {
    let ran_out = |event: &&Event| event.booking_id == Some(booking) && event.cause == "expired";
    let at = past.events.iter().find(ran_out).map(|event| event.sequence);
    match at.is_some_and(|at| at <= until(attempt, past, times)) && code == "hold_expired" {
        true => Ok(()),
        false => Err(format!("a hold was refused as {code}, which ran out by fact {at:?}")),
    }
}

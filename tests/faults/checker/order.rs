//! One serial order explains everything. An answer before another request comes before it in the order. A refusal has
//! a moment at which there were too few rooms.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::replay::{Past, Replay};
use crate::history::{Answer, Attempt, Call, History, Moment, Operation};
use crate::truth::{Event, Truth};

pub fn check(history: &History, truth: &Truth, replay: &Replay, violations: &mut Vec<String>) {
    let done = done(history, truth);
    let mut calls: BTreeMap<Uuid, Vec<&Call>> = BTreeMap::new();
    for call in &history.calls {
        calls.entry(call.room_type).or_default().push(call);
    }
    for (room_type, calls) in calls {
        let times = Times::of(&calls);
        let Some(past) = replay.pasts.get(&room_type) else {
            violations.push(format!("room type {room_type} is not there"));
            continue;
        };
        for call in calls {
            let violation = match call.ack() {
                Some((ack, _)) => in_order(call, ack.sequence, &times),
                None => refusals(call, done.get(call.key.as_str()).copied(), past, &times),
            };
            violations.extend(violation.err().map(|violation| format!("key {}: {violation}", call.key)));
        }
    }
}

/// Facts of requests without an acknowledgement, by the keys that may have caused them. A client with an unknown
/// outcome of a change sends no second change of that kind.
fn done<'a>(history: &'a History, truth: &'a Truth) -> HashMap<&'a str, u64> {
    let told: HashSet<_> =
        history.calls.iter().filter_map(|call| call.ack().map(|(ack, _)| (call.room_type, ack.sequence))).collect();
    let untold = truth.events.iter().filter(|event| !told.contains(&(event.room_type_id, event.sequence)));
    let facts: HashMap<_, _> = untold.map(|event| ((event.booking_id, event.cause.as_str()), event.sequence)).collect();
    let made: HashMap<_, _> =
        truth.bookings.iter().map(|booking| (booking.external_reference.as_deref(), booking.id)).collect();
    let unknown_outcome = history.calls.iter().filter(|call| call.ack().is_none() && call.is_open());
    let fact = |call: &'a Call| {
        let booking = call.operation.booking().or_else(|| made.get(&Some(call.key.as_str())).copied())?;
        Some((call.key.as_str(), *facts.get(&(Some(booking), call.operation.cause()))?))
    };
    unknown_outcome.filter_map(fact).collect()
}

/// Bounds on the times of the facts of a room type.
struct Times {
    /// By the time of an acknowledgement: the highest sequence number until then.
    happened: BTreeMap<Moment, u64>,
    /// By the time of a first attempt: the lowest sequence number from then on.
    ahead: BTreeMap<Moment, u64>,
}

impl Times {
    fn of(calls: &[&Call]) -> Self {
        let mut ack: Vec<(Moment, Moment, u64)> = Vec::new();
        ack.extend(calls.iter().filter_map(|call| call.ack().map(|(ack, heard)| (call.sent(), heard, ack.sequence))));
        let (mut happened, mut ahead) = (BTreeMap::new(), BTreeMap::new());
        ack.sort_by_key(|(_, heard, _)| *heard);
        let mut highest = 0;
        for (_, heard, sequence) in &ack {
            highest = highest.max(*sequence);
            happened.insert(*heard, highest);
        }
        ack.sort_by_key(|(sent, _, _)| *sent);
        let mut lowest = u64::MAX;
        for (sent, _, sequence) in ack.iter().rev() {
            lowest = lowest.min(*sequence);
            ahead.insert(*sent, lowest);
        }
        Self { happened, ahead }
    }

    /// The last fact that certainly happened before a moment.
    fn before(&self, moment: Moment) -> u64 {
        self.happened.range(..moment).next_back().map_or(0, |(_, sequence)| *sequence)
    }

    /// The first fact that was certainly requested after a moment.
    fn after(&self, moment: Moment) -> u64 {
        self.ahead.range(moment + 1..).next().map_or(u64::MAX, |(_, sequence)| *sequence)
    }
}

fn in_order(call: &Call, sequence: u64, times: &Times) -> Result<(), String> {
    match times.before(call.sent()) {
        before if before < sequence => Ok(()),
        before => Err(format!("acknowledged as {sequence}, although {before} had happened before the request")),
    }
}

/// `done`: the fact of an unacknowledged effect, if there is one.
fn refusals(call: &Call, done: Option<u64>, past: &Past, times: &Times) -> Result<(), String> {
    for attempt in &call.attempts {
        if let Answer::No(code) = &attempt.answer {
            refusal(call, attempt, code, past, times)?;
            if let Some(done) = done.filter(|done| *done <= times.before(attempt.sent)) {
                return Err(format!("refused, although it had been done before the request: {done}"));
            }
        }
    }
    Ok(())
}

/// Whether there was a moment between request and answer with too few rooms.
fn refusal(call: &Call, attempt: &Attempt, code: &str, past: &Past, times: &Times) -> Result<(), String> {
    let (stay, rooms, own) = match call.operation {
        Operation::Book { stay, rooms, .. } => (stay, rooms, None),
        Operation::Confirm { booking, .. } => return too_late(booking, attempt, code, past, times),
        Operation::Amend { rooms, from, to, .. } => (to, rooms, Some(from)),
        Operation::Cancel { .. } => return Err(format!("a booking of one's own cannot be cancelled: {code}")),
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

/// Whether a hold had expired when its client confirmed it.
fn too_late(booking: Uuid, attempt: &Attempt, code: &str, past: &Past, times: &Times) -> Result<(), String> {
    let ran_out = |event: &&Event| event.booking_id == Some(booking) && event.cause == "expired";
    let at = past.events.iter().find(ran_out).map(|event| event.sequence);
    match at.is_some_and(|at| at <= until(attempt, past, times)) && code == "hold_expired" {
        true => Ok(()),
        false => Err(format!("a hold was refused as {code}, which ran out by fact {at:?}")),
    }
}

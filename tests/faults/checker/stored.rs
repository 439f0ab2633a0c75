//! Every acknowledged write is stored exactly once: each acknowledgement is an event, each event has a request, and
//! one key has one effect and one answer.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::replay::Replay;
use crate::history::{Answer, Call, History, Operation, Stay};
use crate::truth::{Booking, Event, Truth};

pub fn check(history: &History, truth: &Truth, replay: &Replay, violations: &mut Vec<String>) {
    let books = Books::of(truth);
    let mut claimed = HashSet::new();
    for call in &history.calls {
        answers(call, violations);
        if let Err(violation) = effect(call, &books, replay, &mut claimed) {
            violations.push(format!("key {}: {violation}", call.key));
        }
    }
    let mut possible = Possible::of(history);
    for event in truth.events.iter().filter(|event| event.booking_id.is_some()) {
        if !claimed.contains(&(event.room_type_id, event.sequence))
            && !possible.explains(event, &books)
            && !books.has_run_out(event, history.hold_lasts)
        {
            violations.push(format!("no request explains {event:?}"));
        }
    }
    ends(history, &books, violations);
}

/// The stored bookings as a table for the checker.
struct Books<'a> {
    by_id: HashMap<Uuid, &'a Booking>,
    by_reference: HashMap<&'a str, Vec<&'a Booking>>,
    events: HashMap<Uuid, Vec<&'a Event>>,
}

impl<'a> Books<'a> {
    fn of(truth: &'a Truth) -> Self {
        let mut books = Self { by_id: HashMap::new(), by_reference: HashMap::new(), events: HashMap::new() };
        for booking in &truth.bookings {
            books.by_id.insert(booking.id, booking);
            let reference = booking.external_reference.as_deref().unwrap_or_default();
            books.by_reference.entry(reference).or_default().push(booking);
        }
        for event in &truth.events {
            if let Some(booking) = event.booking_id {
                books.events.entry(booking).or_default().push(event);
            }
        }
        books
    }

    /// Whether an event ends an expired hold that nobody confirmed.
    fn has_run_out(&self, event: &Event, hold_lasts: i64) -> bool {
        let of_it = event.booking_id.and_then(|booking| self.events.get(&booking)).map_or(&[][..], Vec::as_slice);
        let before = of_it.iter().filter(|other| other.sequence < event.sequence).max_by_key(|other| other.sequence);
        let held = before.filter(|before| before.cause == "held");
        event.cause == "expired" && held.is_some_and(|held| event.at >= held.at + hold_lasts)
    }

    fn made_by(&self, key: &str) -> &[&'a Booking] {
        self.by_reference.get(key).map_or(&[], Vec::as_slice)
    }
}

/// All acknowledgements of one key are equal, and no answer is unexpected.
fn answers(call: &Call, violations: &mut Vec<String>) {
    let first = call.ack().map(|(ack, _)| ack);
    for attempt in &call.attempts {
        match &attempt.answer {
            Answer::Wrong(what) => violations.push(format!("key {}: node {} said {what}", call.key, attempt.node)),
            Answer::Ack(ack) if Some(ack) != first => {
                violations.push(format!("key {}: answered {first:?} and then {ack:?}", call.key));
            }
            Answer::Ack(_) | Answer::No(_) | Answer::Open(_) => {}
        }
    }
    let refused = call.attempts.iter().find(|attempt| matches!(attempt.answer, Answer::No(_)));
    if let (Some(_), Some((ack, _))) = (refused, call.ack()) {
        violations.push(format!("key {}: refused, and acknowledged as {}", call.key, ack.sequence));
    }
}

/// The event that one request was acknowledged with, if any.
fn effect(call: &Call, books: &Books<'_>, replay: &Replay, claimed: &mut HashSet<(Uuid, u64)>) -> Result<(), String> {
    let made = match call.operation {
        Operation::Book { .. } => books.made_by(&call.key),
        _ => &[],
    };
    if made.len() > 1 {
        return Err(format!("{} bookings were made", made.len()));
    }
    let Some((ack, _)) = call.ack() else {
        return match made {
            [booking] if !call.is_open() => Err(format!("refused, and {} was made all the same", booking.id)),
            _ => Ok(()),
        };
    };
    let event = replay.pasts.get(&call.room_type).and_then(|past| past.event(ack.sequence));
    let event = event.ok_or_else(|| format!("acknowledged as {} and not in the history", ack.sequence))?;
    if event.booking_id != Some(ack.booking) || event.cause != call.operation.cause() {
        return Err(format!("acknowledged as {} of {}, which is {event:?}", ack.sequence, ack.booking));
    }
    if !claimed.insert((call.room_type, ack.sequence)) {
        return Err(format!("acknowledged as {}, and so was another", ack.sequence));
    }
    match call.operation.booking() {
        None if made.first().map(|booking| booking.id) != Some(ack.booking) => {
            Err(format!("acknowledged as {} and not stored", ack.booking))
        }
        Some(own) if own != ack.booking => Err(format!("the request was about {own}, and {} was changed", ack.booking)),
        _ => Ok(()),
    }
}

/// Requests that may have had an unacknowledged effect: each explains one event.
struct Possible<'a> {
    /// Bookings and holds, by their keys: the name of the event.
    made: HashMap<&'a str, &'static str>,
    /// Changes of bookings, and the number of such requests.
    changed: HashMap<(Uuid, &'static str), usize>,
}

impl<'a> Possible<'a> {
    fn of(history: &'a History) -> Self {
        let mut possible = Self { made: HashMap::new(), changed: HashMap::new() };
        for call in history.calls.iter().filter(|call| call.ack().is_none() && call.is_open()) {
            match call.operation.booking() {
                Some(booking) => *possible.changed.entry((booking, call.operation.cause())).or_default() += 1,
                None => _ = possible.made.insert(&call.key, call.operation.cause()),
            }
        }
        possible
    }

    /// Whether such a request explains this event. It does not explain another one.
    fn explains(&mut self, event: &Event, books: &Books<'_>) -> bool {
        let Some(booking) = event.booking_id.and_then(|id| books.by_id.get(&id)) else { return false };
        if ["booked", "held"].contains(&event.cause.as_str()) {
            let key = booking.external_reference.as_deref();
            return key.and_then(|key| self.made.remove(key)).is_some_and(|cause| cause == event.cause);
        }
        let cause = ["confirmed", "amended", "cancelled"].into_iter().find(|cause| *cause == event.cause);
        let left = cause.and_then(|cause| self.changed.get_mut(&(booking.id, cause))).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }
}

/// The final state of every booking is the result of its last effective request.
fn ends(history: &History, books: &Books<'_>, violations: &mut Vec<String>) {
    let mut operations: BTreeMap<Uuid, Vec<&Call>> = BTreeMap::new();
    for call in &history.calls {
        let made = books.made_by(&call.key).first().map(|booking| booking.id);
        if let Some(booking) = call.operation.booking().or(made) {
            operations.entry(booking).or_default().push(call);
        }
    }
    let unasked = books.by_id.values().filter(|booking| !operations.contains_key(&booking.id));
    violations.extend(unasked.map(|booking| format!("no request explains {booking:?}")));
    for (id, calls) in operations {
        let Some(booking) = books.by_id.get(&id) else {
            violations.push(format!("booking {id} was acknowledged and does not exist"));
            continue;
        };
        let last = books.events.get(&id).and_then(|events| events.iter().max_by_key(|event| event.sequence));
        let is_last = |call: &&&Call| {
            let told = call.ack().map(|(ack, _)| ack.sequence);
            last.is_some_and(|last| {
                last.cause == call.operation.cause() && told.is_none_or(|told| told == last.sequence)
            })
        };
        let ran_out = last.is_some_and(|last| last.cause == "expired");
        let is_hold = |call: &&&Call| ran_out && call.operation.cause() == "held";
        let is_fine =
            |call: &&&Call| is_as_requested(booking, call, if ran_out { "expired" } else { call.operation.makes() });
        if !calls.iter().filter(|call| is_last(call) || is_hold(call)).any(|call| is_fine(&call)) {
            violations.push(format!("{booking:?} is not what was requested: {last:?}"));
        }
    }
}

fn is_as_requested(booking: &Booking, call: &Call, status: &str) -> bool {
    let (requested_rooms, requested) = match call.operation {
        Operation::Book { stay, rooms, .. } | Operation::Confirm { stay, rooms, .. } => (rooms, Some(stay)),
        Operation::Amend { rooms, to, .. } => (rooms, Some(to)),
        Operation::Cancel { rooms, stay, .. } => (rooms, stay),
    };
    let stay = Stay { arrival: booking.arrival, departure: booking.departure };
    let is = (booking.room_type_id, booking.status.as_str(), booking.rooms);
    is == (call.room_type, status, requested_rooms) && requested.is_none_or(|requested| requested == stay)
}

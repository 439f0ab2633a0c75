//! Acknowledged is stored, exactly once: every yes is an event, every event is somebody's wish, one key has one effect
//! and one answer.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::replay::Replay;
use crate::history::{Answer, Call, History, Stay, Wish};
use crate::truth::{Booking, Event, Truth};

pub fn check(history: &History, truth: &Truth, replay: &Replay, complaints: &mut Vec<String>) {
    let books = Books::of(truth);
    let mut claimed = HashSet::new();
    for call in &history.calls {
        answers(call, complaints);
        if let Err(complaint) = effect(call, &books, replay, &mut claimed) {
            complaints.push(format!("key {}: {complaint}", call.key));
        }
    }
    let mut possible = Possible::of(history);
    for event in truth.events.iter().filter(|event| event.booking_id.is_some()) {
        if !claimed.contains(&(event.room_type_id, event.sequence))
            && !possible.explains(event, &books)
            && !books.has_run_out(event, history.hold_lasts)
        {
            complaints.push(format!("nobody wished for {event:?}"));
        }
    }
    ends(history, &books, complaints);
}

/// The stored bookings, as the checker asks for them.
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

    /// Whether an event ends a hold whose time was over, and that nobody had confirmed.
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

/// All acknowledgements under a key are the same, and nothing unheard of was said.
fn answers(call: &Call, complaints: &mut Vec<String>) {
    let first = call.yes().map(|(yes, _)| yes);
    for attempt in &call.attempts {
        match &attempt.answer {
            Answer::Wrong(what) => complaints.push(format!("key {}: node {} said {what}", call.key, attempt.node)),
            Answer::Yes(yes) if Some(yes) != first => {
                complaints.push(format!("key {}: answered {first:?} and then {yes:?}", call.key));
            }
            Answer::Yes(_) | Answer::No(_) | Answer::Open(_) => {}
        }
    }
    let refused = call.attempts.iter().find(|attempt| matches!(attempt.answer, Answer::No(_)));
    if let (Some(_), Some((yes, _))) = (refused, call.yes()) {
        complaints.push(format!("key {}: refused, and acknowledged as {}", call.key, yes.sequence));
    }
}

/// What one call did: the event it was told of, or nothing.
fn effect(call: &Call, books: &Books<'_>, replay: &Replay, claimed: &mut HashSet<(Uuid, u64)>) -> Result<(), String> {
    let made = match call.wish {
        Wish::Book { .. } => books.made_by(&call.key),
        _ => &[],
    };
    if made.len() > 1 {
        return Err(format!("{} bookings were made", made.len()));
    }
    let Some((yes, _)) = call.yes() else {
        return match made {
            [booking] if !call.is_open() => Err(format!("refused, and {} was made all the same", booking.id)),
            _ => Ok(()),
        };
    };
    let event = replay.pasts.get(&call.room_type).and_then(|past| past.event(yes.sequence));
    let event = event.ok_or_else(|| format!("acknowledged as {} and not in the history", yes.sequence))?;
    if event.booking_id != Some(yes.booking) || event.cause != call.wish.cause() {
        return Err(format!("acknowledged as {} of {}, which is {event:?}", yes.sequence, yes.booking));
    }
    if !claimed.insert((call.room_type, yes.sequence)) {
        return Err(format!("acknowledged as {}, and so was another", yes.sequence));
    }
    match call.wish.booking() {
        None if made.first().map(|booking| booking.id) != Some(yes.booking) => {
            Err(format!("acknowledged as {} and not stored", yes.booking))
        }
        Some(own) if own != yes.booking => Err(format!("it was about {own}, and {} was changed", yes.booking)),
        _ => Ok(()),
    }
}

/// Wishes that may have had an effect nobody was told of: each explains one event.
struct Possible<'a> {
    /// Bookings and holds, by their keys: what the event is called.
    made: HashMap<&'a str, &'static str>,
    /// Changes of bookings, and how many such wishes there are.
    changed: HashMap<(Uuid, &'static str), usize>,
}

impl<'a> Possible<'a> {
    fn of(history: &'a History) -> Self {
        let mut possible = Self { made: HashMap::new(), changed: HashMap::new() };
        for call in history.calls.iter().filter(|call| call.yes().is_none() && call.is_open()) {
            match call.wish.booking() {
                Some(booking) => *possible.changed.entry((booking, call.wish.cause())).or_default() += 1,
                None => _ = possible.made.insert(&call.key, call.wish.cause()),
            }
        }
        possible
    }

    /// Whether such a wish brought this event about. It does not bring about another.
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

/// Every booking is in the end what the last wish about it that was fulfilled made of it.
fn ends(history: &History, books: &Books<'_>, complaints: &mut Vec<String>) {
    let mut wishes: BTreeMap<Uuid, Vec<&Call>> = BTreeMap::new();
    for call in &history.calls {
        let made = books.made_by(&call.key).first().map(|booking| booking.id);
        if let Some(booking) = call.wish.booking().or(made) {
            wishes.entry(booking).or_default().push(call);
        }
    }
    let unasked = books.by_id.values().filter(|booking| !wishes.contains_key(&booking.id));
    complaints.extend(unasked.map(|booking| format!("nobody wished for {booking:?}")));
    for (id, calls) in wishes {
        let Some(booking) = books.by_id.get(&id) else {
            complaints.push(format!("booking {id} was acknowledged and is not there"));
            continue;
        };
        let last = books.events.get(&id).and_then(|events| events.iter().max_by_key(|event| event.sequence));
        let is_last = |call: &&&Call| {
            let told = call.yes().map(|(yes, _)| yes.sequence);
            last.is_some_and(|last| last.cause == call.wish.cause() && told.is_none_or(|told| told == last.sequence))
        };
        let ran_out = last.is_some_and(|last| last.cause == "expired");
        let is_hold = |call: &&&Call| ran_out && call.wish.cause() == "held";
        let is_fine = |call: &&&Call| is_as_wished(booking, call, if ran_out { "expired" } else { call.wish.makes() });
        if !calls.iter().filter(|call| is_last(call) || is_hold(call)).any(|call| is_fine(&call)) {
            complaints.push(format!("{booking:?} is not what was wished for: {last:?}"));
        }
    }
}

fn is_as_wished(booking: &Booking, call: &Call, status: &str) -> bool {
    let (wished_rooms, wished) = match call.wish {
        Wish::Book { stay, rooms, .. } | Wish::Confirm { stay, rooms, .. } => (rooms, Some(stay)),
        Wish::Amend { rooms, to, .. } => (rooms, Some(to)),
        Wish::Cancel { rooms, stay, .. } => (rooms, stay),
    };
    let stay = Stay { arrival: booking.arrival, departure: booking.departure };
    let is = (booking.room_type_id, booking.status.as_str(), booking.rooms);
    is == (call.room_type, status, wished_rooms) && wished.is_none_or(|wished| wished == stay)
}

//! Tests of the checker: a correct history, and many histories with one error each.

mod holds;

use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use super::violations;
use crate::history::{Ack, Answer, Attempt, Call, History, Look, Nights, Operation, Sighting, Stay, Told};
use crate::truth::{Booking, Delta, Event, Recount, RoomType, Truth};

const ROOM_TYPE: Uuid = Uuid::from_u128(7);
const ANA: Uuid = Uuid::from_u128(1);
const RUI: Uuid = Uuid::from_u128(2);

/// Two rooms. 1: a price is set. 2: Ana books 1 to 3 June. 3: Rui books 2 to 4 June. Eva wants both rooms on 2 June
/// and is refused. 4: Rui moves by a day, acknowledged at the second attempt. 5: Ana cancels, and repeats it.
fn correct_history() -> (History, Truth) {
    let ana = book(june(1, 3), 1);
    let rui = book(june(2, 4), 1);
    let eva = book(june(2, 3), 2);
    let moves = Operation::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) };
    let cancels = Operation::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) };
    let calls = vec![
        call("ana", ana, vec![ack(10, 20, ANA, 2)]),
        call("rui", rui, vec![ack(30, 40, RUI, 3)]),
        call("eva", eva, vec![attempt(30, 50, Answer::No("sold_out".into()))]),
        call("rui moves", moves, vec![attempt(60, 70, Answer::Open("lost".into())), ack(80, 90, RUI, 4)]),
        call("ana cancels", cancels, vec![ack(100, 110, ANA, 5), ack(120, 130, ANA, 5)]),
    ];
    let looks = vec![look(3, june(1, 4), &[(1, 1), (2, 2), (3, 1)])];
    let sightings = vec![
        sighting(2, true, &[(1, 1), (2, 1), (3, 0), (4, 0)]),
        sighting(3, false, &[(2, 2), (3, 1)]),
        sighting(4, false, &[(2, 1), (3, 1), (4, 1)]),
        sighting(5, false, &[(1, 0), (2, 0)]),
    ];
    let feed = (1..=5).map(|sequence| Told { position: sequence * 10, room_type_id: ROOM_TYPE, sequence }).collect();
    (History { watched: june(1, 5), hold_lasts: 100, calls, looks, sightings, feed }, truth())
}

fn truth() -> Truth {
    let events = vec![
        event(1, "rate_plan_set", None, &[]),
        event(2, "booked", Some(ANA), &[(1, 1), (2, 1)]),
        event(3, "booked", Some(RUI), &[(2, 1), (3, 1)]),
        event(4, "amended", Some(RUI), &[(2, -1), (4, 1)]),
        event(5, "cancelled", Some(ANA), &[(1, -1), (2, -1)]),
    ];
    let booking = |id, key: &str, status: &str, stay: Stay| Booking {
        id,
        room_type_id: ROOM_TYPE,
        status: status.into(),
        arrival: stay.arrival,
        departure: stay.departure,
        rooms: 1,
        external_reference: Some(key.into()),
    };
    let bookings = vec![booking(ANA, "ana", "cancelled", june(1, 3)), booking(RUI, "rui", "confirmed", june(3, 5))];
    let recount = |(day, sold)| Recount {
        room_type_id: ROOM_TYPE,
        date: date(2026, 6, day),
        capacity: Some(2),
        sold,
        held: 0,
        booked: sold,
        on_hold: 0,
    };
    let recounts = [(1, 0), (2, 0), (3, 1), (4, 1)].map(recount).into();
    Truth { room_types: vec![RoomType { id: ROOM_TYPE, rooms: 2, sequence: 5 }], bookings, events, recounts }
}

fn june(arrival: i8, departure: i8) -> Stay {
    Stay { arrival: date(2026, 6, arrival), departure: date(2026, 6, departure) }
}

fn nights(sold: &[(i8, i64)]) -> Nights {
    sold.iter().map(|(day, sold)| (date(2026, 6, *day), (*sold, 0))).collect()
}

fn book(stay: Stay, rooms: i64) -> Operation {
    Operation::Book { stay, rooms, hold: false }
}

fn look(sequence: u64, asked: Stay, sold: &[(i8, i64)]) -> Look {
    Look { node: 0, room_type: ROOM_TYPE, asked, sequence, nights: nights(sold) }
}

fn call(key: &str, operation: Operation, attempts: Vec<Attempt>) -> Call {
    Call { key: key.into(), room_type: ROOM_TYPE, operation, attempts }
}

fn attempt(sent: u64, heard: u64, answer: Answer) -> Attempt {
    Attempt { node: 0, sent, heard, answer }
}

fn ack(sent: u64, heard: u64, booking: Uuid, sequence: u64) -> Attempt {
    attempt(sent, heard, Answer::Ack(Ack { booking, sequence, body: json!({"sequence": sequence}) }))
}

fn sighting(sequence: u64, whole: bool, sold: &[(i8, i64)]) -> Sighting {
    Sighting { node: 0, room_type: ROOM_TYPE, sequence, whole, nights: nights(sold) }
}

fn event(sequence: u64, cause: &str, booking_id: Option<Uuid>, sold: &[(i8, i64)]) -> Event {
    let delta = |(day, sold): &(i8, i64)| Delta { date: date(2026, 6, *day), sold: *sold, held: 0 };
    let deltas = sold.iter().map(delta).collect();
    let (position, at, cause) = (sequence * 10, sequence as i64 * 20, cause.into());
    Event { position, room_type_id: ROOM_TYPE, sequence, at, cause, booking_id, deltas }
}

fn lost(sent: u64) -> Attempt {
    attempt(sent, sent + 5, Answer::Open("lost".into()))
}

fn no(sent: u64, code: &str) -> Attempt {
    attempt(sent, sent + 5, Answer::No(code.into()))
}

/// An edit of the correct history.
type Edit = fn(&mut History, &mut Truth);

/// An unacknowledged request may have had its effect or not.
const POSSIBLE: &[(&str, Edit)] = &[
    ("an unacknowledged booking", |history, _| history.calls[0].attempts = vec![lost(10)]),
    ("an unacknowledged change", |history, _| history.calls[4].attempts = vec![lost(100)]),
    ("a booking without an effect", |history, _| {
        history.calls.push(call("ida", book(june(1, 2), 1), vec![lost(10)]));
    }),
    // Ana had the other room when Rui was refused. An earlier attempt of Rui then takes effect late.
    ("a booking that took effect after a refusal", |history, _| {
        history.calls.truncate(2);
        history.calls[1].operation = book(june(2, 4), 1);
        history.calls[1].attempts = vec![lost(30), Attempt { heard: 140, ..no(35, "sold_out") }];
        let moves = Operation::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) };
        let cancels = Operation::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) };
        history.calls.extend([call("moves", moves, vec![lost(60)]), call("cancels", cancels, vec![lost(60)])]);
    }),
];

/// An error: its name, the violation that the checker reports, and the edit that makes it.
const ERRORS: &[(&str, &str, Edit)] = &[
    ("a lost booking", "does not exist", |_, truth| _ = truth.bookings.remove(1)),
    ("a doubled booking", "2 bookings were made", |_, truth| {
        truth.bookings.push(Booking { id: Uuid::from_u128(9), ..truth.bookings[1].clone() });
    }),
    ("an acknowledgement without an event", "not in the history", |_, truth| _ = truth.events.pop()),
    ("a gap", "stands at place", |_, truth| _ = truth.events.remove(0)),
    ("a history that ends early", "its own row says 6", |_, truth| truth.room_types[0].sequence = 6),
    ("another event than acknowledged", "which is", |_, truth| truth.events[4].booking_id = Some(RUI)),
    ("one event for two", "so was another", |history, _| {
        let twin = history.calls[4].clone();
        history.calls.push(Call { key: "ana cancels again".into(), ..twin });
    }),
    ("two answers to one key", "and then", |history, _| history.calls[4].attempts[1] = ack(120, 130, ANA, 4)),
    ("a refusal after an answer", "refused, and acknowledged", |history, _| {
        history.calls[4].attempts.push(no(140, "sold_out"));
    }),
    ("a refusal that was done", "was made all the same", |history, _| {
        history.calls[1].attempts = vec![no(30, "sold_out")];
    }),
    ("a refusal long after it was done", "although it had been done", |history, _| {
        history.calls[1].operation = book(june(2, 4), 2);
        history.calls[1].attempts = vec![lost(30), no(95, "sold_out")];
    }),
    ("a change refused long after it was done", "although it had been done", |history, _| {
        let change = history.calls[3].operation;
        history.calls[3].attempts = vec![lost(60), no(130, "sold_out")];
        history.calls[3].operation = match change {
            Operation::Amend { booking, from, to, .. } => Operation::Amend { booking, rooms: 2, from, to },
            other => other,
        };
    }),
    ("a change refused at once that was done", "no request explains", |history, _| {
        history.calls[3].attempts = vec![no(60, "sold_out")];
    }),
    ("a refusal without a reason", "were free", |history, _| {
        history.calls[2].operation = book(june(4, 5), 1);
    }),
    ("a refusal before there was a reason", "were free", |history, _| {
        history.calls[2].attempts = vec![no(1, "sold_out")];
    }),
    ("a refusal with an impossible code", "refused as closed", |history, _| {
        history.calls[2].attempts = vec![no(30, "closed")];
    }),
    ("a cancellation refused", "cannot be cancelled", |history, _| {
        history.calls[4].attempts = vec![no(100, "illegal_move")];
    }),
    ("an unexpected answer", "said 404", |history, _| {
        history.calls[2].attempts.push(attempt(60, 70, Answer::Wrong("404".into())));
    }),
    ("an acknowledgement before its time", "had happened before", |history, _| {
        history.calls[0].attempts = vec![ack(45, 55, ANA, 2)]
    }),
    ("an event that no request explains", "no request explains", |history, _| _ = history.calls.remove(3)),
    ("a booking that no request explains", "no request explains", |_, truth| {
        let unasked = Booking { id: Uuid::from_u128(9), external_reference: None, ..truth.bookings[0].clone() };
        truth.bookings.push(unasked);
    }),
    ("an operation with two effects", "no request explains", |history, truth| {
        history.calls[4].attempts = vec![lost(100)];
        truth.events.push(event(6, "cancelled", Some(ANA), &[]));
        truth.room_types[0].sequence = 6;
    }),
    ("other nights than requested", "not what was requested", |_, truth| truth.bookings[1].arrival = date(2026, 6, 2)),
    ("another state than requested", "not what was requested", |_, truth| {
        truth.bookings[0].status = "confirmed".into()
    }),
    ("oversold for a moment", "3 sold", |_, truth| truth.events[2].deltas[0].sold = 2),
    ("oversold in the end", "3 of 2 rooms", |_, truth| {
        (truth.recounts[2].booked, truth.recounts[2].sold) = (3, 3);
    }),
    ("a miscounted night", "are stored", |_, truth| truth.recounts[2].sold = 2),
    ("a night that is not stored", "not stored", |_, truth| _ = truth.recounts.remove(3)),
    ("nights unlike the events", "the events tell", |_, truth| {
        (truth.recounts[2].booked, truth.recounts[2].sold) = (0, 0);
    }),
    ("a read of a state that never existed", "showed", |history, _| history.looks[0].sequence = 2),
    ("a read of a future state", "never was", |history, _| history.looks[0].sequence = 6),
    ("a read without one night", "nothing of 2026-06-03", |history, _| {
        history.looks[0].nights.pop_last();
    }),
    ("a dashboard without one night", "nothing of 2026-06-04", |history, _| {
        history.sightings[0].nights.pop_last();
        history.sightings[2].nights.pop_last();
    }),
    ("a change that leaves out a night that changed", "2026-06-04 as (0, 0)", |history, _| {
        history.sightings[2].nights.pop_last();
    }),
    ("a dashboard that missed a change", "not of 3", |history, _| _ = history.sightings.remove(1)),
    ("a dashboard with wrong counts", "had 2026-06-04", |history, _| {
        history.sightings[2].nights.insert(date(2026, 6, 4), (2, 0));
    }),
    ("a dashboard that went back", "went back", |history, _| history.sightings.swap(1, 2)),
    ("a change sent twice", "went back", |history, _| history.sightings.insert(2, history.sightings[1].clone())),
    ("a feed with a gap", "the feed returned", |history, _| _ = history.feed.remove(2)),
    ("a feed out of order", "the feed returned", |history, _| history.feed.swap(2, 3)),
    ("a feed that repeats itself", "the feed returned", |history, _| history.feed.push(history.feed[4].clone())),
];

#[test]
fn a_correct_history_passes_with_every_unknown_outcome() {
    let (history, truth) = correct_history();
    assert_eq!(violations(&history, &truth), Vec::<String>::new());
    for (name, edit) in POSSIBLE {
        let (mut history, mut truth) = correct_history();
        edit(&mut history, &mut truth);
        assert_eq!(violations(&history, &truth), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_wrong_history_is_detected() {
    detect_all(ERRORS, correct_history);
}

fn detect_all(errors: &[(&str, &str, Edit)], correct_history: fn() -> (History, Truth)) {
    for (name, why, edit) in errors {
        let (mut history, mut truth) = correct_history();
        edit(&mut history, &mut truth);
        let violations = violations(&history, &truth);
        assert!(violations.iter().any(|violation| violation.contains(why)), "{name}: {violations:#?}");
    }
}

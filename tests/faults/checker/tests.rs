//! The judge judged: a history that is true, and every way we could think of to tell it wrong.

mod holds;

use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use super::complaints;
use crate::history::{Answer, Attempt, Call, History, Look, Nights, Sighting, Stay, Told, Wish, Yes};
use crate::truth::{Booking, Delta, Event, Recount, RoomType, Truth};

const ROOM_TYPE: Uuid = Uuid::from_u128(7);
const ANA: Uuid = Uuid::from_u128(1);
const RUI: Uuid = Uuid::from_u128(2);

/// Two rooms. 1: a price was set. 2: Ana books 1 to 3 June. 3: Rui books 2 to 4 June, and Eva, who wants both rooms on
/// 2 June, is refused. 4: Rui moves on by a day; he is told at the second try. 5: Ana cancels, and asks once more.
fn true_story() -> (History, Truth) {
    let ana = book(june(1, 3), 1);
    let rui = book(june(2, 4), 1);
    let eva = book(june(2, 3), 2);
    let moves = Wish::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) };
    let cancels = Wish::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) };
    let calls = vec![
        call("ana", ana, vec![yes(10, 20, ANA, 2)]),
        call("rui", rui, vec![yes(30, 40, RUI, 3)]),
        call("eva", eva, vec![attempt(30, 50, Answer::No("sold_out".into()))]),
        call("rui moves", moves, vec![attempt(60, 70, Answer::Open("lost".into())), yes(80, 90, RUI, 4)]),
        call("ana cancels", cancels, vec![yes(100, 110, ANA, 5), yes(120, 130, ANA, 5)]),
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

fn book(stay: Stay, rooms: i64) -> Wish {
    Wish::Book { stay, rooms, hold: false }
}

fn look(sequence: u64, asked: Stay, sold: &[(i8, i64)]) -> Look {
    Look { node: 0, room_type: ROOM_TYPE, asked, sequence, nights: nights(sold) }
}

fn call(key: &str, wish: Wish, attempts: Vec<Attempt>) -> Call {
    Call { key: key.into(), room_type: ROOM_TYPE, wish, attempts }
}

fn attempt(sent: u64, heard: u64, answer: Answer) -> Attempt {
    Attempt { node: 0, sent, heard, answer }
}

fn yes(sent: u64, heard: u64, booking: Uuid, sequence: u64) -> Attempt {
    attempt(sent, heard, Answer::Yes(Yes { booking, sequence, body: json!({"sequence": sequence}) }))
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

/// What is done to the true history.
type Twist = fn(&mut History, &mut Truth);

/// What nobody was told of may have been done or not.
const POSSIBLE: &[(&str, Twist)] = &[
    ("a booking of which nobody was told", |history, _| history.calls[0].attempts = vec![lost(10)]),
    ("a change of which nobody was told", |history, _| history.calls[4].attempts = vec![lost(100)]),
    ("a booking that was never made", |history, _| {
        history.calls.push(call("ida", book(june(1, 2), 1), vec![lost(10)]));
    }),
    // Ana had the other room when Rui was refused; he had asked before, and gets his own when nobody expects it any more.
    ("a booking made after it was refused", |history, _| {
        history.calls.truncate(2);
        history.calls[1].wish = book(june(2, 4), 1);
        history.calls[1].attempts = vec![lost(30), Attempt { heard: 140, ..no(35, "sold_out") }];
        let moves = Wish::Amend { booking: RUI, rooms: 1, from: june(2, 4), to: june(3, 5) };
        let cancels = Wish::Cancel { booking: ANA, rooms: 1, stay: Some(june(1, 3)) };
        history.calls.extend([call("moves", moves, vec![lost(60)]), call("cancels", cancels, vec![lost(60)])]);
    }),
];

/// A lie, what the judge says of it, and how it is told.
const LIES: &[(&str, &str, Twist)] = &[
    ("a lost booking", "is not there", |_, truth| _ = truth.bookings.remove(1)),
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
    ("two answers to one key", "and then", |history, _| history.calls[4].attempts[1] = yes(120, 130, ANA, 4)),
    ("a refusal after an answer", "refused, and acknowledged", |history, _| {
        history.calls[4].attempts.push(no(140, "sold_out"));
    }),
    ("a refusal that was done", "was made all the same", |history, _| {
        history.calls[1].attempts = vec![no(30, "sold_out")];
    }),
    ("a refusal long after it was done", "although it had been done", |history, _| {
        history.calls[1].wish = book(june(2, 4), 2);
        history.calls[1].attempts = vec![lost(30), no(95, "sold_out")];
    }),
    ("a change refused long after it was done", "although it had been done", |history, _| {
        let change = history.calls[3].wish;
        history.calls[3].attempts = vec![lost(60), no(130, "sold_out")];
        history.calls[3].wish = match change {
            Wish::Amend { booking, from, to, .. } => Wish::Amend { booking, rooms: 2, from, to },
            other => other,
        };
    }),
    ("a change refused at once that was done", "nobody wished", |history, _| {
        history.calls[3].attempts = vec![no(60, "sold_out")];
    }),
    ("a refusal without a reason", "were free", |history, _| {
        history.calls[2].wish = book(june(4, 5), 1);
    }),
    ("a refusal before there was a reason", "were free", |history, _| {
        history.calls[2].attempts = vec![no(1, "sold_out")];
    }),
    ("a refusal that makes no sense", "refused as closed", |history, _| {
        history.calls[2].attempts = vec![no(30, "closed")];
    }),
    ("a cancellation refused", "cannot be cancelled", |history, _| {
        history.calls[4].attempts = vec![no(100, "illegal_move")];
    }),
    ("a strange answer", "said 404", |history, _| {
        history.calls[2].attempts.push(attempt(60, 70, Answer::Wrong("404".into())));
    }),
    ("time turned round", "had happened before", |history, _| history.calls[0].attempts = vec![yes(45, 55, ANA, 2)]),
    ("an event that nobody wished for", "nobody wished", |history, _| _ = history.calls.remove(3)),
    ("a booking that nobody wished for", "nobody wished", |_, truth| {
        let unasked = Booking { id: Uuid::from_u128(9), external_reference: None, ..truth.bookings[0].clone() };
        truth.bookings.push(unasked);
    }),
    ("a wish that came true twice", "nobody wished", |history, truth| {
        history.calls[4].attempts = vec![lost(100)];
        truth.events.push(event(6, "cancelled", Some(ANA), &[]));
        truth.room_types[0].sequence = 6;
    }),
    ("other nights than wished", "not what was wished", |_, truth| truth.bookings[1].arrival = date(2026, 6, 2)),
    ("another state than wished", "not what was wished", |_, truth| truth.bookings[0].status = "confirmed".into()),
    ("oversold for a moment", "3 sold", |_, truth| truth.events[2].deltas[0].sold = 2),
    ("oversold in the end", "3 of 2 rooms", |_, truth| {
        (truth.recounts[2].booked, truth.recounts[2].sold) = (3, 3);
    }),
    ("a miscounted night", "are stored", |_, truth| truth.recounts[2].sold = 2),
    ("a night that is not stored", "not stored", |_, truth| _ = truth.recounts.remove(3)),
    ("nights unlike the events", "the events tell", |_, truth| {
        (truth.recounts[2].booked, truth.recounts[2].sold) = (0, 0);
    }),
    ("a look at what never was", "showed", |history, _| history.looks[0].sequence = 2),
    ("a look at the future", "never was", |history, _| history.looks[0].sequence = 6),
    ("a look that leaves a night out", "nothing of 2026-06-03", |history, _| {
        history.looks[0].nights.pop_last();
    }),
    ("a dashboard that is not shown a night", "nothing of 2026-06-04", |history, _| {
        history.sightings[0].nights.pop_last();
        history.sightings[2].nights.pop_last();
    }),
    ("a change that leaves out a night that changed", "2026-06-04 as (0, 0)", |history, _| {
        history.sightings[2].nights.pop_last();
    }),
    ("a dashboard that missed a change", "not of 3", |history, _| _ = history.sightings.remove(1)),
    ("a dashboard that was told nonsense", "had 2026-06-04", |history, _| {
        history.sightings[2].nights.insert(date(2026, 6, 4), (2, 0));
    }),
    ("a dashboard that went back", "went back", |history, _| history.sightings.swap(1, 2)),
    ("a change told twice", "went back", |history, _| history.sightings.insert(2, history.sightings[1].clone())),
    ("a feed with a hole", "the feed told", |history, _| _ = history.feed.remove(2)),
    ("a feed out of order", "the feed told", |history, _| history.feed.swap(2, 3)),
    ("a feed that repeats itself", "the feed told", |history, _| history.feed.push(history.feed[4].clone())),
];

#[test]
fn a_true_story_is_believed_whatever_nobody_was_told_of() {
    let (history, truth) = true_story();
    assert_eq!(complaints(&history, &truth), Vec::<String>::new());
    for (name, twist) in POSSIBLE {
        let (mut history, mut truth) = true_story();
        twist(&mut history, &mut truth);
        assert_eq!(complaints(&history, &truth), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_story_that_is_wrong_is_found_out() {
    find_out(LIES, true_story);
}

fn find_out(lies: &[(&str, &str, Twist)], true_story: fn() -> (History, Truth)) {
    for (name, why, twist) in lies {
        let (mut history, mut truth) = true_story();
        twist(&mut history, &mut truth);
        let complaints = complaints(&history, &truth);
        assert!(complaints.iter().any(|complaint| complaint.contains(why)), "{name}: {complaints:#?}");
    }
}

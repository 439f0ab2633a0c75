//! Holds: one that is confirmed, one that runs out, and who was served while something was wrong.

use super::*;
use crate::history::served;

/// Two rooms. 1: a price was set. 2: Ana holds a room for the night of 1 June. 3: she confirms it. 4: Rui holds the
/// other one. 5: it runs out, and he, who comes to confirm it, is too late.
fn true_story() -> (History, Truth) {
    let hold = Wish::Book { stay: june(1, 2), rooms: 1, hold: true };
    let confirm = |booking| Wish::Confirm { booking, rooms: 1, stay: june(1, 2) };
    let calls = vec![
        call("ana", hold, vec![yes(10, 20, ANA, 2)]),
        call("ana confirms", confirm(ANA), vec![lost(30), yes(40, 50, ANA, 3)]),
        call("rui", hold, vec![yes(80, 90, RUI, 4)]),
        call("rui confirms", confirm(RUI), vec![no(110, "hold_expired")]),
    ];
    let (looks, sightings, feed) = Default::default();
    (History { watched: june(1, 2), hold_lasts: 20, calls, looks, sightings, feed }, truth())
}

fn truth() -> Truth {
    let event = |sequence, cause: &str, booking, (sold, held)| {
        let delta = Delta { date: date(2026, 6, 1), sold, held };
        Event { deltas: vec![delta], ..event(sequence, cause, Some(booking), &[]) }
    };
    let events = vec![
        super::event(1, "rate_plan_set", None, &[]),
        event(2, "held", ANA, (0, 1)),
        event(3, "confirmed", ANA, (1, -1)),
        event(4, "held", RUI, (0, 1)),
        event(5, "expired", RUI, (0, -1)),
    ];
    let mut truth = super::truth();
    for (booking, status) in truth.bookings.iter_mut().zip(["confirmed", "expired"]) {
        (booking.status, booking.arrival, booking.departure) =
            (status.into(), june(1, 2).arrival, june(1, 2).departure);
    }
    truth.recounts.truncate(1);
    (truth.recounts[0].sold, truth.recounts[0].booked) = (1, 1);
    Truth { events, ..truth }
}

const LIES: &[(&str, &str, Twist)] = &[
    ("a hold that ran out too early", "nobody wished", |_, truth| truth.events[4].at = 90),
    ("a hold that ran out twice", "nobody wished", |_, truth| {
        truth.events.push(Event { sequence: 6, position: 60, at: 200, ..truth.events[4].clone() });
    }),
    ("a booking that ran out", "nobody wished", |_, truth| truth.events[4].booking_id = Some(ANA)),
    ("a hold that somebody else confirmed", "nobody wished", |history, _| _ = history.calls.remove(1)),
    ("a hold made where a booking was wished for", "which is", |history, _| {
        history.calls[2].wish = book(june(1, 2), 1);
    }),
    ("a hold refused that had not run out", "ran out by fact None", |_, truth| _ = truth.events.pop()),
    ("a hold refused before it had run out", "ran out by fact Some(5)", |history, _| {
        history.calls[3].attempts = vec![no(60, "hold_expired")];
    }),
    ("a hold refused for another reason", "refused as sold_out", |history, _| {
        history.calls[3].attempts = vec![no(110, "sold_out")];
    }),
    ("a hold that ran out and is still there", "not what was wished", |_, truth| {
        truth.bookings[1].status = "held".into();
    }),
];

#[test]
fn a_true_story_of_holds_is_believed() {
    let (history, truth) = true_story();
    assert_eq!(complaints(&history, &truth), Vec::<String>::new());
    let (mut history, truth) = true_story();
    history.calls[1].attempts = vec![lost(30)];
    assert_eq!(complaints(&history, &truth), Vec::<String>::new(), "confirmed, and nobody was told");
}

#[test]
fn a_story_of_holds_that_is_wrong_is_found_out() {
    find_out(LIES, true_story);
}

#[test]
fn who_asked_before_something_went_wrong_was_not_served_meanwhile() {
    let (history, _) = true_story();
    assert_eq!(served(&history.calls, 60), [ROOM_TYPE].into());
    assert!(served(&history.calls, 80).is_empty(), "asked before, or refused");
}

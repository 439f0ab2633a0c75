//! Holds: one that is confirmed, one that expires, and requests that were served during a fault.

use super::*;
use crate::history::served;

/// Two rooms. 1: a price is set. 2: Ana holds a room for the night of 1 June. 3: Ana confirms it. 4: Rui holds the
/// other one.
/// 5: it expires, and Rui's confirmation is too late.
fn correct_history() -> (History, Truth) {
    let hold = Operation::Book { stay: june(1, 2), rooms: 1, hold: true };
    let confirm = |booking| Operation::Confirm { booking, rooms: 1, stay: june(1, 2) };
    let calls = vec![
        call("ana", hold, vec![ack(10, 20, ANA, 2)]),
        call("ana confirms", confirm(ANA), vec![lost(30), ack(40, 50, ANA, 3)]),
        call("rui", hold, vec![ack(80, 90, RUI, 4)]),
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

const ERRORS: &[(&str, &str, Edit)] = &[
    ("a hold that expired too early", "no request explains", |_, truth| truth.events[4].at = 90),
    ("a hold that expired twice", "no request explains", |_, truth| {
        truth.events.push(Event { sequence: 6, position: 60, at: 200, ..truth.events[4].clone() });
    }),
    ("a booking that expired", "no request explains", |_, truth| truth.events[4].booking_id = Some(ANA)),
    ("a hold that another client confirmed", "no request explains", |history, _| _ = history.calls.remove(1)),
    ("a hold in place of a booking", "which is", |history, _| {
        history.calls[2].operation = book(june(1, 2), 1);
    }),
    ("a hold refused that had not run out", "ran out by fact None", |_, truth| _ = truth.events.pop()),
    ("a hold refused before it had run out", "ran out by fact Some(5)", |history, _| {
        history.calls[3].attempts = vec![no(60, "hold_expired")];
    }),
    ("a hold refused for another reason", "refused as sold_out", |history, _| {
        history.calls[3].attempts = vec![no(110, "sold_out")];
    }),
    ("an expired hold that still exists", "not what was requested", |_, truth| {
        truth.bookings[1].status = "held".into();
    }),
];

#[test]
fn a_correct_history_of_holds_passes() {
    let (history, truth) = correct_history();
    assert_eq!(violations(&history, &truth), Vec::<String>::new());
    let (mut history, truth) = correct_history();
    history.calls[1].attempts = vec![lost(30)];
    assert_eq!(violations(&history, &truth), Vec::<String>::new(), "confirmed without an acknowledgement");
}

#[test]
fn every_wrong_history_of_holds_is_detected() {
    detect_all(ERRORS, correct_history);
}

#[test]
fn a_request_from_before_a_fault_does_not_count_as_served_during_it() {
    let (history, _) = correct_history();
    assert_eq!(served(&history.calls, 60), [ROOM_TYPE].into());
    assert!(served(&history.calls, 80).is_empty(), "sent before, or refused");
}

//! Every move from every state, and its effect on the nights.

use jiff::SignedDuration;
use rstest::rstest;

use super::super::testing::{PRICE, book, day, fact_id, inventory, noon, order, run, stay};
use super::super::{Command, NightDelta, Order};
use super::*;

/// A booking of three nights from [`TODAY`] in the given state.
pub(super) fn booking(state: &str) -> Booking {
    let mut house = inventory(2);
    let fact = run(&mut house, book(1, order(stay(0, 3), 1), noon(0)), noon(0)).unwrap();
    let status = match state {
        "held" => Status::Held { expires_at: noon(0) + SignedDuration::from_mins(15) },
        "overdue" => Status::Held { expires_at: noon(0) },
        "confirmed" => Status::Confirmed,
        "in_house" => Status::InHouse,
        "checked_out" => Status::CheckedOut { departed: day(2) },
        "cancelled" => Status::Cancelled { fee_minor: Amount::ZERO },
        "no_show" => Status::NoShow { fee_minor: Amount::ZERO, kept_until: Some(day(1)) },
        "expired" => Status::Expired,
        "released" => Status::Released,
        other => unreachable!("{other} is no state"),
    };
    Booking { status, ..Booking::clone(fact.change.booking().unwrap()) }
}

/// The result of a move from a state: the name of the next state or of the refusal.
fn outcome(state: &str, act: Move) -> &'static str {
    match inventory(2).move_booking(&booking(state), &act, None, noon(0)) {
        Ok(change) => change.booking().unwrap().status.name(),
        Err(refusal) => refusal.name(),
    }
}

/// A booking of three nights from `days` after [`TODAY`], as it would have been sold.
fn arriving(booking: Booking, days: i64) -> Booking {
    let stay = stay(days, 3);
    let policy = booking.policy.arriving(inventory(2).hotel.check_in_at(stay.check_in()));
    Booking { stay, policy, ..booking }
}

// Every state × every move. `-` is an illegal move.
#[rstest]
//               Confirm         Cancel       Amend           CheckIn     CheckOut       NoShow     Expire
#[case("held", ["confirmed",    "released",  "held",         "-",        "-",           "-",       "-"])]
#[case("overdue", ["hold_expired", "released", "hold_expired", "-",       "-",           "-",       "expired"])]
#[case("confirmed", ["-",        "cancelled", "confirmed",    "in_house", "-",           "no_show", "-"])]
#[case("in_house", ["-",         "-",         "in_house",     "-",        "checked_out", "-",       "-"])]
#[case("checked_out", ["-",      "-",         "-",            "-",        "-",           "-",       "-"])]
#[case("cancelled", ["-",        "-",         "-",            "-",        "-",           "-",       "-"])]
#[case("no_show", ["-",          "-",         "-",            "-",        "-",           "-",       "-"])]
#[case("expired", ["hold_expired", "-",       "-",            "-",        "-",           "-",       "-"])]
#[case("released", ["-",         "-",         "-",            "-",        "-",           "-",       "-"])]
fn every_legal_move_is_allowed_and_every_other_is_refused(#[case] state: &str, #[case] expected: [&str; 7]) {
    let amend = Move::Amend(Amendment { check_out: Some(day(4)), ..Amendment::default() });
    let moves = [Move::Confirm, Move::Cancel, amend, Move::CheckIn, Move::CheckOut, Move::NoShow, Move::Expire];
    let expected = expected.map(|name| if name == "-" { "illegal_move" } else { name });
    assert_eq!(moves.map(|act| outcome(state, act)), expected);
}

#[test]
fn no_move_leaves_a_final_state() {
    for state in Status::NAMES {
        let moves = [Move::Confirm, Move::Cancel, Move::CheckIn, Move::CheckOut, Move::NoShow, Move::Expire];
        let leads_nowhere =
            moves.into_iter().all(|act| inventory(2).move_booking(&booking(state), &act, None, noon(0)).is_err());
        assert_eq!(booking(state).status.is_final(), leads_nowhere, "{state}");
    }
}

#[test]
fn a_move_that_expects_another_version_changes_nothing() {
    let booking = booking("confirmed");
    let stale = inventory(2).move_booking(&booking, &Move::Cancel, Some(7), noon(0));
    assert_eq!(stale, Err(Refusal::Stale { expected: 7, actual: booking.sequence }));
    assert!(inventory(2).move_booking(&booking, &Move::Cancel, Some(booking.sequence), noon(0)).is_ok());
}

/// In every state: what an amendment asks for, and the booking has, is answered with the booking as it is.
#[rstest]
fn an_amendment_that_repeats_what_is_so_changes_nothing(
    #[values("held", "overdue", "confirmed", "in_house", "checked_out", "cancelled", "no_show", "expired", "released")]
    state: &str,
    #[values(0, 1, 2, 9)] days_later: i64,
) {
    let (mut house, booking) = (inventory(2), booking(state));
    run(&mut house, book(1, order(stay(0, 3), 1), noon(0)), noon(0)).unwrap();
    let (check_in, check_out) = (Some(booking.stay.check_in()), Some(booking.stay.check_out()));
    let (rooms, guests) = (Some(booking.rooms), Some(booking.guests.clone()));
    let num_guests = i64::try_from(booking.guests.len()).ok();
    for amendment in [
        Amendment::default(),
        Amendment { check_in, check_out, ..Amendment::default() },
        Amendment { rooms, ..Amendment::default() },
        Amendment { guests, ..Amendment::default() },
        Amendment { num_guests, ..Amendment::default() },
    ] {
        let act = Move::Amend(amendment);
        let (command, now) = (Arc::new(booking.clone()), noon(days_later));
        let again = Command::Move { booking: command, act: act.clone(), expected: Some(booking.sequence) };
        let fact = house.decide(again, fact_id(7), now).unwrap();
        let answer = house.unchanged(&fact).expect("nothing changes");
        assert_eq!((answer.sequence, answer.change.booking()), (house.sequence(), Some(&Arc::new(booking.clone()))));
        let stale = house.move_booking(&booking, &act, Some(booking.sequence + 1), now);
        assert_eq!(stale.unwrap_err().name(), "stale");
    }
}

fn deltas(booking: &Booking, act: Move, now: Timestamp) -> Vec<(jiff::civil::Date, i32, i32)> {
    let Ok(Change::Booking { deltas, .. }) = inventory(2).move_booking(booking, &act, None, now) else {
        panic!("{act:?} is legal here");
    };
    deltas.into_iter().map(|NightDelta { date, sold, held }| (date, sold, held)).collect()
}

#[test]
fn confirming_takes_nothing_more_than_was_held() {
    let expected: Vec<_> = (0..3).map(|n| (day(n), 1, -1)).collect();
    assert_eq!(deltas(&booking("held"), Move::Confirm, noon(0)), expected);
}

#[test]
fn an_early_departure_frees_the_remaining_nights() {
    let early = deltas(&booking("in_house"), Move::CheckOut, noon(1));
    assert_eq!(early, [(day(1), -1, 0), (day(2), -1, 0)]);
    let on_the_first_day = deltas(&booking("in_house"), Move::CheckOut, noon(0));
    assert_eq!(on_the_first_day, [(day(1), -1, 0), (day(2), -1, 0)]);
    assert_eq!(deltas(&booking("in_house"), Move::CheckOut, noon(3)), []);
    assert_eq!(deltas(&booking("in_house"), Move::CheckOut, noon(9)), []);
}

#[test]
fn a_no_show_keeps_its_first_night_sold_and_pays_by_its_policy() {
    let booking = booking("confirmed");
    assert_eq!(deltas(&booking, Move::NoShow, noon(1)), [(day(1), -1, 0), (day(2), -1, 0)]);
    let change = inventory(2).move_booking(&booking, &Move::NoShow, None, noon(0)).unwrap();
    assert_eq!(change.booking().unwrap().status, Status::NoShow { fee_minor: PRICE, kept_until: Some(day(1)) });
}

#[test]
fn a_no_show_that_is_recorded_late_keeps_the_nights_that_are_over() {
    let booking = Booking { stay: stay(0, 5), ..booking("confirmed") };
    assert_eq!(deltas(&booking, Move::NoShow, noon(3)), [(day(3), -1, 0), (day(4), -1, 0)]);
    assert_eq!(deltas(&booking, Move::NoShow, noon(9)), []);
}

/// The first night is over at midnight in Lisbon, which is 23:00 UTC.
#[rstest]
#[case("2026-05-01T22:59:59Z", "cancelled")]
#[case("2026-05-01T23:00:00Z", "too_late")]
#[case("2026-05-03T12:00:00Z", "too_late")]
#[case("2026-05-09T12:00:00Z", "too_late")]
fn a_booking_is_cancelled_until_its_first_night_is_over(#[case] now: &str, #[case] expected: &str) {
    let outcome = inventory(2).move_booking(&booking("confirmed"), &Move::Cancel, None, now.parse().unwrap());
    assert_eq!(
        outcome.map_or_else(|refusal| refusal.name(), |change| change.booking().unwrap().status.name()),
        expected
    );
}

#[test]
fn a_cancellation_costs_the_fee_of_its_moment() {
    let house = inventory(2);
    let booking = arriving(booking("confirmed"), 5);
    // Check-in is at 15:00 in Lisbon, which is 14:00 UTC; the deadline itself is the guest's.
    let deadline: Timestamp = "2026-05-06T14:00:00Z".parse().unwrap();
    assert_eq!(house.cancellation_fee(&booking, deadline), Amount::ZERO);
    let late = deadline + SignedDuration::from_secs(1);
    // As a no-show: the first night.
    assert_eq!(house.cancellation_fee(&booking, late), PRICE);
}

#[test]
fn deadlines_follow_the_hotels_clock_through_daylight_saving_time() {
    let house = inventory(1);
    // Lisbon sets its clocks back on 25 October 2026: 15:00 is 14:00 UTC the day before, 15:00 UTC from then on.
    let at = |date| house.hotel.check_in_at(date).to_string();
    assert_eq!(at(jiff::civil::date(2026, 10, 24)), "2026-10-24T14:00:00Z");
    assert_eq!(at(jiff::civil::date(2026, 10, 25)), "2026-10-25T15:00:00Z");
}

#[rstest]
#[case("2026-04-30T22:59:59Z", "too_early")] // 23:59 on the eve, in Lisbon
#[case("2026-04-30T23:00:00Z", "in_house")] // midnight
#[case("2026-05-04T00:30:00Z", "in_house")] // after midnight of the last night
#[case("2026-05-04T09:59:59Z", "in_house")] // a second before check-out time
#[case("2026-05-04T10:00:00Z", "too_late")]
fn guests_check_in_from_the_arrival_date_until_check_out_time(#[case] now: &str, #[case] expected: &str) {
    let outcome = inventory(2).move_booking(&booking("confirmed"), &Move::CheckIn, None, now.parse().unwrap());
    let name = outcome.map_or_else(|refusal| refusal.name(), |change| change.booking().unwrap().status.name());
    assert_eq!(name, expected);
}

#[test]
fn a_no_show_is_impossible_before_the_arrival_date() {
    let booking = Booking { stay: stay(1, 3), ..booking("confirmed") };
    let early = inventory(2).move_booking(&booking, &Move::NoShow, None, noon(0));
    assert_eq!(early, Err(Refusal::TooEarly { from: day(1) }));
}

#[test]
fn an_expired_hold_frees_its_rooms_and_can_no_longer_be_confirmed() {
    let mut house = inventory(1);
    let held = run(&mut house, book(1, Order { hold: true, ..order(stay(1, 2), 1) }, noon(0)), noon(0)).unwrap();
    let expires_at = house.next_expiry().unwrap();
    assert_eq!(house.overdue(expires_at - SignedDuration::from_nanos(1)), None);
    let overdue = house.overdue(expires_at).unwrap();
    assert_eq!(&overdue, held.change.booking().unwrap());
    let confirm = Command::Move { booking: overdue.clone(), act: Move::Confirm, expected: None };
    assert_eq!(house.decide(confirm, fact_id(9), expires_at), Err(Refusal::HoldExpired { at: expires_at }));
    let expire = Command::Move { booking: overdue, act: Move::Expire, expected: None };
    run(&mut house, expire, expires_at).unwrap();
    assert!(house.next_expiry().is_none());
    assert!(run(&mut house, book(2, order(stay(1, 2), 1), noon(1)), noon(0)).is_ok());
}

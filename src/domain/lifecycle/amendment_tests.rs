//! Amendments: what a change of dates, rooms or guests keeps, costs and gives back.

use jiff::SignedDuration;
use rstest::rstest;

use super::super::testing::{
    TODAY, book, breakfast, day, fact_id, guests, inventory, nights_change, noon, order, run, stay,
};
use super::super::{CancellationPolicy, Command, Guest, Hotel, Occupancy, Order, Restriction, Tier};
use super::tests::booking;
use super::*;
use crate::domain::nights_change::Patch;
use crate::domain::order::ServiceOrder;

fn amend(booking: &Booking, amendment: Amendment, now: Timestamp) -> Result<Arc<Booking>, Refusal> {
    let mut house = inventory(2);
    house.roll(now);
    house.move_booking(booking, &Move::Amend(amendment), None, now).map(|change| change.booking().unwrap().clone())
}

#[test]
fn present_guests_keep_their_arrival_and_the_nights_they_slept() {
    let present = booking("in_house");
    let to = |check_in, check_out, rooms| Amendment {
        check_in,
        check_out,
        rooms,
        waive_policy: true,
        ..Amendment::default()
    };
    let extended = amend(&present, to(None, Some(day(5)), None), noon(1)).unwrap();
    assert_eq!((extended.stay, extended.status), (stay(0, 5), Status::InHouse));
    let leaves_today = amend(&present, to(None, Some(day(2)), None), noon(2)).unwrap();
    assert_eq!(leaves_today.stay, stay(0, 2));
    let refused = |amendment, now| amend(&present, amendment, now).unwrap_err().name();
    let by_the_guest = Amendment { waive_policy: false, ..to(None, Some(day(2)), None) };
    assert_eq!(refused(by_the_guest, noon(2)), "change_not_free");
    assert_eq!(refused(to(None, Some(day(1)), None), noon(2)), "departure_in_the_past");
    assert_eq!(refused(to(Some(day(1)), None, None), noon(1)), "illegal_move");
    assert_eq!(refused(to(None, None, Some(2)), noon(1)), "illegal_move");
    assert_eq!(refused(to(None, Some(TODAY), None), noon(0)), "empty_stay");
}

#[test]
fn a_change_reprices_only_the_nights_that_change() {
    let mut house = inventory(2);
    let fact = run(&mut house, book(1, order(stay(1, 3), 1), noon(0)), noon(0)).unwrap();
    let mut dearer = nights_change(0, 30);
    dearer.rate_plan = Some(house.plans[0].id);
    dearer.price = Patch::Set(Amount(50_000));
    run(&mut house, Command::SetNights(dearer), noon(0)).unwrap();
    let later = Amendment { check_in: Some(day(2)), check_out: Some(day(6)), ..Amendment::default() };
    let act = Move::Amend(later);
    let booking = fact.change.booking().unwrap().clone();
    let change = house.move_booking(&booking, &act, None, noon(0)).unwrap();
    let prices: Vec<_> = change.booking().unwrap().prices.iter().map(|price| price.0).collect();
    assert_eq!(prices, [10_000, 10_000, 50_000, 50_000]);
}

/// A booking of two rooms for three nights, sold under a policy.
fn sold_under(policy: CancellationPolicy) -> Booking {
    let mut house = inventory(2);
    let fact = run(&mut house, book(1, order(stay(1, 3), 2), noon(0)), noon(0)).unwrap();
    Booking { policy, ..Booking::clone(fact.change.booking().unwrap()) }
}

#[rstest]
#[case::shorter(Amendment { check_out: Some(day(2)), ..Amendment::default() })]
#[case::moved(Amendment { check_in: Some(day(2)), check_out: Some(day(5)), ..Amendment::default() })]
#[case::fewer_rooms(Amendment { rooms: Some(1), ..Amendment::default() })]
#[case::longer_with_fewer_rooms(Amendment { check_out: Some(day(9)), rooms: Some(1), ..Amendment::default() })]
fn nights_and_rooms_are_given_back_only_while_cancelling_is_free(#[case] amendment: Amendment) {
    let strict = sold_under(CancellationPolicy::non_refundable());
    let never_free = Err(Refusal::ChangeNotFree { until: None });
    assert_eq!(amend(&strict, amendment.clone(), noon(0)), never_free);
    let flexible = sold_under(CancellationPolicy::flexible());
    assert!(amend(&flexible, amendment.clone(), noon(0)).is_ok());
    let by_the_hotel = Amendment { waive_policy: true, ..amendment.clone() };
    assert!(amend(&strict, by_the_hotel, noon(0)).is_ok());
    let held = Booking { status: Status::Held { expires_at: noon(1) }, ..strict };
    assert!(amend(&held, amendment, noon(0)).is_ok());
}

#[test]
fn every_policy_allows_a_change_that_gives_nothing_back() {
    let strict = sold_under(CancellationPolicy::non_refundable());
    let longer = Amendment { check_in: Some(day(0)), check_out: Some(day(9)), ..Amendment::default() };
    assert!(amend(&strict, longer, noon(0)).is_ok());
    let other_guests = Amendment { guests: Some(guests(&[50, 51])), ..Amendment::default() };
    assert!(amend(&strict, other_guests, noon(0)).is_ok());
}

#[test]
fn a_refused_change_names_the_end_of_free_cancellation() {
    let tier = Tier::new(24, Fee::None);
    let everything = Some(Fee::Percent { percent: 100 });
    let booking = sold_under(CancellationPolicy::new(vec![tier], everything, Fee::None).unwrap());
    let shorter = || Amendment { check_out: Some(day(2)), ..Amendment::default() };
    // Check-in is at 15:00 in Lisbon, which is 14:00 UTC.
    let deadline: Timestamp = "2026-05-01T14:00:00Z".parse().unwrap();
    assert!(amend(&booking, shorter(), deadline).is_ok());
    let late = amend(&booking, shorter(), deadline + SignedDuration::from_secs(1)).unwrap_err();
    assert_eq!(late, Refusal::ChangeNotFree { until: Some(deadline) });
    assert!(late.to_string().contains("was free until 2026-05-01T14:00:00Z"), "{late}");
}

/// The rooms of a booking in groups of equal prices, in thousands.
fn groups(booking: &Booking) -> Vec<(u16, Vec<i64>)> {
    booking.room_groups().map(|(rooms, prices)| (rooms, prices.iter().map(|price| price.0 / 1_000).collect())).collect()
}

#[test]
fn only_added_rooms_and_nights_cost_what_they_cost_today() {
    let mut house = inventory(4);
    let now = noon(0);
    let fact = run(&mut house, book(1, order(stay(1, 2), 1), now), now).unwrap();
    let mut booking = Booking::clone(fact.change.booking().unwrap());
    // (price of the day, amendment, rooms and their prices a night, total)
    let rooms = |rooms: u16| Amendment {
        rooms: Some(rooms),
        guests: Some(guests(&vec![34; rooms.into()])),
        ..Amendment::default()
    };
    let until = |days| Amendment { check_out: Some(day(days)), ..Amendment::default() };
    let from = |days| Amendment { check_in: Some(day(days)), ..Amendment::default() };
    for (price, amendment, expected, total) in [
        (50_000, rooms(2), vec![(1, vec![10, 10]), (1, vec![50, 50])], 120_000),
        (20_000, rooms(3), vec![(1, vec![10, 10]), (1, vec![50, 50]), (1, vec![20, 20])], 160_000),
        (70_000, until(4), vec![(1, vec![10, 10, 70]), (1, vec![50, 50, 70]), (1, vec![20, 20, 70])], 370_000),
        (90_000, from(2), vec![(1, vec![10, 70]), (1, vec![50, 70]), (1, vec![20, 70])], 290_000),
        // Those that were added last go first.
        (90_000, rooms(2), vec![(1, vec![10, 70]), (1, vec![50, 70])], 200_000),
        (90_000, rooms(1), vec![(1, vec![10, 70])], 80_000),
        (90_000, rooms(1), vec![(1, vec![10, 70])], 80_000),
    ] {
        house.plans[0].price = Amount(price);
        let act = Move::Amend(amendment);
        let change = house.move_booking(&booking, &act, None, now).unwrap();
        booking = Booking::clone(change.booking().unwrap());
        assert_eq!((groups(&booking), booking.total()), (expected, Amount(total)));
    }
}

#[test]
fn rooms_added_at_the_same_prices_are_one_group() {
    let mut house = inventory(4);
    let fact = run(&mut house, book(1, order(stay(1, 2), 1), noon(0)), noon(0)).unwrap();
    let booking = fact.change.booking().unwrap();
    let act = Move::Amend(Amendment { rooms: Some(2), ..Amendment::default() });
    let change = house.move_booking(booking, &act, None, noon(0)).unwrap();
    assert_eq!(groups(change.booking().unwrap()), [(2, vec![10, 10])]);
}

#[test]
fn services_follow_the_stay_and_the_guests_at_the_price_they_were_sold_for() {
    let mut house = inventory(2);
    let services = vec![ServiceOrder { service_id: breakfast().id, quantity: 1 }];
    let fact = run(&mut house, book(1, Order { services, ..order(stay(1, 3), 1) }, noon(0)), noon(0)).unwrap();
    let booking = fact.change.booking().unwrap();
    assert_eq!(booking.services[0].amount, Amount(1_200 * 2 * 3));
    house.services[0].price = Amount(9_900);
    let alone: Vec<Guest> = guests(&[34]);
    let longer = Amendment { check_out: Some(day(5)), guests: Some(alone), ..Amendment::default() };
    let change = house.move_booking(booking, &Move::Amend(longer), None, noon(0)).unwrap();
    let after = change.booking().unwrap();
    assert_eq!((after.services[0].amount, after.party()), (Amount(1_200 * 4), Party { adults: 1, children: 0 }));
}

#[test]
fn guests_who_are_late_keep_their_arrival_and_their_rooms() {
    let late = Booking { rooms: 2, ..booking("confirmed") };
    let amend = |amendment, now| amend(&late, Amendment { waive_policy: true, ..amendment }, now);
    let (moved, fewer) = (
        Amendment { check_in: Some(day(1)), check_out: Some(day(5)), ..Amendment::default() },
        Amendment { rooms: Some(1), ..Amendment::default() },
    );
    for amendment in [moved, fewer] {
        assert!(amend(amendment.clone(), noon(0)).is_ok());
        assert_eq!(amend(amendment, noon(1)).unwrap_err().name(), "illegal_move");
    }
    let shorter = Amendment { check_out: Some(day(2)), ..Amendment::default() };
    assert_eq!(amend(shorter, noon(1)).unwrap().stay, stay(0, 2));
}

/// The rules have changed since the sale: no night is for sale, and the room is too small.
#[rstest]
#[case::check_in(Amendment { check_in: Some(day(0)), ..Amendment::default() })]
#[case::check_out(Amendment { check_out: Some(day(3)), ..Amendment::default() })]
#[case::rooms(Amendment { rooms: Some(1), ..Amendment::default() })]
#[case::guests(Amendment { guests: Some(guests(&[34, 36])), ..Amendment::default() })]
#[case::number_of_guests(Amendment { num_guests: Some(2), ..Amendment::default() })]
fn a_member_that_repeats_its_present_value_changes_nothing_whatever_the_rules_are_now(#[case] same: Amendment) {
    let (now, mut hotel) = (noon(1), inventory(1));
    let booked = run(&mut hotel, book(1, order(stay(0, 3), 1), noon(0)), noon(0)).unwrap();
    let booking = booked.change.booking().unwrap().clone();
    let arrive = Command::Move { booking, act: Move::CheckIn, expected: None };
    let present = run(&mut hotel, arrive, noon(0)).unwrap().change.booking().unwrap().clone();
    hotel.hotel = Arc::new(Hotel { max_nights: 1, horizon_nights: 1, ..Hotel::clone(&hotel.hotel) });
    hotel.room_type.occupancy = Occupancy { max_adults: 1, max_children: 0, max_occupancy: 1 };
    hotel.calendar.set_defaults(0, 0);
    for date in stay(0, 3).dates() {
        if let Some(night) = hotel.calendar.night_mut(date) {
            night.restriction = Restriction { stop_sell: true, closed_to_arrival: true, ..Restriction::NONE };
        }
    }
    hotel.roll(now);
    let command = Command::Move { booking: present.clone(), act: Move::Amend(same), expected: None };
    let fact = hotel.decide(command, fact_id(9), now).unwrap();
    assert!(hotel.unchanged(&fact).is_some());
}

#[rstest]
#[case(0)]
#[case(3)]
#[case(-2)]
#[case(i64::MAX)]
fn another_number_of_guests_needs_their_names(#[case] number: i64) {
    let booking = Booking { guests: guests(&[34, 36]), ..booking("confirmed") };
    let alone = Amendment { num_guests: Some(number), ..Amendment::default() };
    assert_eq!(amend(&booking, alone, noon(0)), Err(Refusal::GuestsMatch { present: 2 }));
}

//! Every rule of a sale, each on its own, and what a change keeps.

use jiff::SignedDuration;

use super::super::nights_change::{NightsChange, Patch, RestrictionPatch};
use super::super::stay::days_between;
use super::super::testing::{PRICE, book, day, guests, hotel, inventory, nights_change, noon, order, plan, run, stay};
use super::super::{Amendment, Command, Fact, Hotel, Move, Order};
use super::*;

/// A room type of `rooms` rooms after `change`.
fn house_with(rooms: u16, change: NightsChange) -> Inventory {
    let mut house = inventory(rooms);
    run(&mut house, Command::SetNights(change), noon(0)).unwrap();
    house
}

/// A room type of three rooms with these restrictions on one night.
fn restricted(on: i64, restriction: RestrictionPatch) -> Inventory {
    house_with(3, NightsChange { restriction, ..nights_change(on, 1) })
}

fn enquiry(stay: Stay, rooms: u16) -> Enquiry<'static> {
    Enquiry { stay, rooms, party: Party { adults: 2, children: 0 }, rate_plan: None, forced: false, keeping: None }
}

fn refusal(house: &Inventory, stay: Stay) -> Refusal {
    house.quote(&enquiry(stay, 1), noon(0)).unwrap_err()
}

/// The failing nights, as days after today, with the reason.
fn failing(house: &Inventory, stay: Stay) -> Vec<(i64, Reason)> {
    match refusal(house, stay) {
        Refusal::Unavailable { nights, .. } | Refusal::Restricted { nights } => {
            nights.iter().map(|night| (i64::from(days_between(day(0), night.date)), night.reason)).collect()
        }
        other => panic!("{other:?} names no nights"),
    }
}

fn sells(house: &Inventory, stay: Stay) -> bool {
    house.quote(&enquiry(stay, 1), noon(0)).is_ok()
}

fn booked(house: &mut Inventory, number: u64, order: Order) -> std::sync::Arc<Booking> {
    let fact = run(house, book(number, order, noon(0)), noon(0)).unwrap();
    fact.change.booking().unwrap().clone()
}

fn set<T>(value: T) -> Patch<T> {
    Patch::Set(value)
}

#[test]
fn a_stay_costs_the_sum_of_its_nights_for_every_room() {
    let quote = inventory(5).quote(&enquiry(stay(1, 3), 2), noon(0)).unwrap();
    assert_eq!((quote.prices, quote.total), (vec![PRICE; 3], Amount(6 * PRICE.0)));
}

#[test]
fn no_stay_begins_before_the_hotels_current_date() {
    let house = inventory(1);
    assert_eq!(refusal(&house, stay(-1, 2)), Refusal::ArrivalInThePast { today: day(0) });
    assert!(sells(&house, stay(0, 2)));
    // Half past midnight in Lisbon, still yesterday in UTC.
    let early: Timestamp = "2026-05-01T23:30:00Z".parse().unwrap();
    let yesterday = house.quote(&enquiry(stay(0, 2), 1), early);
    assert_eq!(yesterday, Err(Refusal::ArrivalInThePast { today: day(1) }));
}

#[test]
fn the_last_departure_is_the_end_of_the_horizon() {
    let house = inventory(1);
    assert!(sells(&house, stay(728, 2)));
    assert_eq!(refusal(&house, stay(729, 2)), Refusal::BeyondHorizon { last: day(730) });
}

#[test]
fn a_stay_has_at_most_the_hotels_maximum_of_nights() {
    let house = inventory(1);
    assert!(sells(&house, stay(0, 30)));
    assert_eq!(refusal(&house, stay(0, 31)), Refusal::TooManyNights { max: 30 });
}

#[test]
fn a_room_takes_guests_up_to_its_occupancy_and_no_children_alone() {
    let house = inventory(3);
    let of = |adults, children, rooms| {
        house.quote(&Enquiry { party: Party { adults, children }, ..enquiry(stay(0, 1), rooms) }, noon(0))
    };
    assert!(of(2, 1, 1).is_ok());
    assert_eq!(of(3, 0, 1), Err(Refusal::Occupancy));
    assert_eq!(of(1, 2, 1), Err(Refusal::Occupancy));
    assert_eq!(of(0, 1, 1), Err(Refusal::Occupancy));
    assert_eq!(of(2, 0, 0), Err(Refusal::Occupancy));
}

#[test]
fn sold_out_names_each_night_with_its_free_rooms() {
    let mut house = inventory(2);
    booked(&mut house, 1, order(stay(1, 2), 1));
    booked(&mut house, 2, order(stay(2, 2), 1));
    assert_eq!(failing(&house, stay(1, 3)), [(2, Reason::SoldOut { free: 0, wanted: 1 })]);
    assert_eq!(refusal(&house, stay(1, 3)).name(), "sold_out");
    let two = house.quote(&enquiry(stay(1, 3), 2), noon(0)).unwrap_err();
    let Refusal::Unavailable { nights, .. } = two else { panic!("{two:?}") };
    let free: Vec<_> = nights.iter().map(|night| night.reason).collect();
    let left = |free| Reason::SoldOut { free, wanted: 2 };
    assert_eq!(free, [left(1), left(0), left(1)]);
}

#[test]
fn the_departure_day_is_free_for_the_next_arrival() {
    let mut house = inventory(1);
    booked(&mut house, 1, order(stay(1, 2), 1));
    assert!(sells(&house, stay(3, 1)) && sells(&house, stay(0, 1)));
}

#[test]
fn out_of_order_and_a_negative_allowance_take_rooms_off_sale() {
    let fewer = NightsChange { out_of_order: set(1), allowance: set(-1), ..nights_change(1, 1) };
    let mut house = house_with(3, fewer);
    assert!(sells(&house, stay(1, 1)));
    booked(&mut house, 1, order(stay(1, 1), 1));
    assert_eq!(failing(&house, stay(1, 1)), [(1, Reason::SoldOut { free: 0, wanted: 1 })]);
    let none = NightsChange { allowance: set(-100), ..nights_change(1, 1) };
    assert_eq!(failing(&house_with(3, none), stay(1, 1)), [(1, Reason::SoldOut { free: 0, wanted: 1 })]);
}

#[test]
fn a_positive_allowance_sells_more_than_there_is() {
    let mut house = house_with(1, NightsChange { allowance: set(1), ..nights_change(1, 1) });
    booked(&mut house, 1, order(stay(1, 1), 1));
    booked(&mut house, 2, order(stay(1, 1), 1));
    assert!(!sells(&house, stay(1, 1)) && house.calendar.is_sound());
}

#[test]
fn stop_sell_closes_every_night_slept_but_not_the_departure() {
    let house = restricted(2, RestrictionPatch { stop_sell: set(true), ..Default::default() });
    assert_eq!(failing(&house, stay(1, 3)), [(2, Reason::StopSell)]);
    assert_eq!(refusal(&house, stay(1, 3)).name(), "closed");
    assert!(sells(&house, stay(0, 2)) && sells(&house, stay(3, 2)));
}

#[test]
fn closed_to_arrival_reads_the_arrival_date_alone() {
    let house = restricted(2, RestrictionPatch { closed_to_arrival: set(true), ..Default::default() });
    assert_eq!(failing(&house, stay(2, 2)), [(2, Reason::ClosedToArrival)]);
    assert_eq!(refusal(&house, stay(2, 2)).name(), "restricted");
    assert!(sells(&house, stay(1, 3)) && sells(&house, stay(1, 1)));
}

#[test]
fn closed_to_departure_reads_the_departure_date_which_is_not_slept() {
    let house = restricted(3, RestrictionPatch { closed_to_departure: set(true), ..Default::default() });
    assert_eq!(failing(&house, stay(1, 2)), [(3, Reason::ClosedToDeparture)]);
    assert!(sells(&house, stay(1, 3)) && sells(&house, stay(3, 1)));
}

#[test]
fn a_departure_on_the_end_of_the_horizon_has_no_restriction() {
    let house = restricted(729, RestrictionPatch { closed_to_departure: set(true), ..Default::default() });
    assert!(sells(&house, stay(728, 2)));
}

#[test]
fn length_on_arrival_reads_the_arrival_date_alone() {
    let lengths = RestrictionPatch { min_nights_arrival: set(2), max_nights_arrival: set(3), ..Default::default() };
    let house = restricted(2, lengths);
    assert_eq!(failing(&house, stay(2, 1)), [(2, Reason::MinNights { min: 2 })]);
    assert_eq!(failing(&house, stay(2, 4)), [(2, Reason::MaxNights { max: 3 })]);
    assert!(sells(&house, stay(2, 2)) && sells(&house, stay(2, 3)) && sells(&house, stay(1, 9)));
}

#[test]
fn length_through_reads_every_night_slept() {
    let lengths = RestrictionPatch { min_nights_through: set(3), max_nights_through: set(4), ..Default::default() };
    let house = restricted(2, lengths);
    assert_eq!(failing(&house, stay(1, 2)), [(2, Reason::MinNights { min: 3 })]);
    assert_eq!(failing(&house, stay(0, 5)), [(2, Reason::MaxNights { max: 4 })]);
    assert!(sells(&house, stay(0, 3)) && sells(&house, stay(0, 2)) && sells(&house, stay(3, 1)));
}

#[test]
fn a_room_type_without_a_rate_plan_is_closed() {
    let mut house = inventory(3);
    house.plans.clear();
    assert_eq!(failing(&house, stay(1, 2)), [(1, Reason::NoPrice), (2, Reason::NoPrice)]);
    assert_eq!(refusal(&house, stay(1, 2)).name(), "closed");
}

#[test]
fn a_night_outside_of_the_calendar_is_closed() {
    let mut house = inventory(3);
    house.calendar = crate::domain::Calendar::new(day(2), 10, 3, 0);
    assert_eq!(failing(&house, stay(1, 2)), [(1, Reason::NoInventory)]);
}

#[test]
fn the_cheapest_plan_that_sells_the_stay_is_taken_and_the_oldest_of_equals() {
    let mut house = inventory(3);
    house.plans.extend([plan(2, Amount(9_000)), plan(3, Amount(8_000)), plan(4, Amount(8_000))]);
    let taken = |house: &Inventory| house.quote(&enquiry(stay(1, 2), 1), noon(0)).unwrap().rate_plan;
    assert_eq!(taken(&house), plan(3, PRICE).id);
    let closed = RestrictionPatch { stop_sell: set(true), ..Default::default() };
    for number in [3, 4] {
        let rate_plan = Some(plan(number, PRICE).id);
        let change = NightsChange { rate_plan, restriction: closed, ..nights_change(2, 1) };
        run(&mut house, Command::SetNights(change), noon(0)).unwrap();
    }
    assert_eq!(taken(&house), plan(2, PRICE).id);
}

#[test]
fn when_no_plan_sells_the_stay_the_nearest_one_says_why() {
    let mut house = inventory(3);
    house.plans.push(plan(2, PRICE));
    let closed = RestrictionPatch { stop_sell: set(true), ..Default::default() };
    let longer = RestrictionPatch { min_nights_arrival: set(3), ..Default::default() };
    for (number, restriction) in [(1, closed), (2, longer)] {
        let rate_plan = Some(plan(number, PRICE).id);
        let change = NightsChange { rate_plan, restriction, ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(change), noon(0)).unwrap();
    }
    assert_eq!(failing(&house, stay(1, 2)), [(1, Reason::MinNights { min: 3 })]);
}

#[test]
fn a_named_plan_must_belong_to_the_room_type() {
    let house = inventory(3);
    let unknown = plan(9, PRICE).id;
    let asked = Enquiry { rate_plan: Some(unknown), ..enquiry(stay(1, 2), 1) };
    assert_eq!(house.quote(&asked, noon(0)), Err(Refusal::UnknownRatePlan(unknown)));
}

#[test]
fn a_sold_out_night_says_when_its_first_hold_expires() {
    let mut house = inventory(1);
    let held = Order { hold: true, ..order(stay(5, 1), 1) };
    run(&mut house, book(1, held.clone(), noon(0)), noon(0)).unwrap();
    let later = noon(0) + SignedDuration::from_mins(5);
    run(&mut house, book(2, Order { stay: stay(2, 1), ..held }, later), later).unwrap();
    let retry_at = |stay| match refusal(&house, stay) {
        Refusal::Unavailable { retry_at, .. } => retry_at,
        other => panic!("{other:?}"),
    };
    assert_eq!(retry_at(stay(2, 1)), Some(later + SignedDuration::from_mins(15)));
    assert_eq!(retry_at(stay(2, 4)), Some(noon(0) + SignedDuration::from_mins(15)));
    let closed = RestrictionPatch { stop_sell: set(true), ..Default::default() };
    let change = NightsChange { restriction: closed, ..nights_change(9, 1) };
    run(&mut house, Command::SetNights(change), noon(0)).unwrap();
    assert!(matches!(refusal(&house, stay(9, 1)), Refusal::Unavailable { retry_at: None, .. }));
}

/// The answer to a booking of `kept` that asks for `stay` after `change` was made.
fn changed(kept: Stay, change: NightsChange, stay: Stay) -> Result<Fact, Refusal> {
    let mut house = inventory(1);
    let booking = booked(&mut house, 1, order(kept, 1));
    run(&mut house, Command::SetNights(change), noon(0)).unwrap();
    let (check_in, check_out) = (Some(stay.check_in()), Some(stay.check_out()));
    let act = Move::Amend(Amendment { check_in, check_out, ..Amendment::default() });
    house.decide(Command::Move { booking, act, expected: None }, crate::domain::testing::fact_id(9), noon(0))
}

fn restrict(on: i64, restriction: RestrictionPatch) -> NightsChange {
    NightsChange { restriction, ..nights_change(on, 1) }
}

#[test]
fn in_a_full_hotel_a_stay_may_move_over_its_own_nights() {
    assert!(changed(stay(1, 3), nights_change(0, 1), stay(2, 3)).is_ok());
    assert!(changed(stay(1, 3), nights_change(0, 1), stay(2, 1)).is_ok());
}

#[test]
fn rules_do_not_apply_to_unchanged_parts_of_a_booking() {
    let closed_to_arrival = RestrictionPatch { closed_to_arrival: set(true), ..Default::default() };
    assert!(changed(stay(1, 3), restrict(1, closed_to_arrival), stay(1, 4)).is_ok());
    assert!(changed(stay(1, 3), restrict(2, closed_to_arrival), stay(2, 2)).is_err());
    let closed_to_departure = RestrictionPatch { closed_to_departure: set(true), ..Default::default() };
    assert!(changed(stay(1, 3), restrict(4, closed_to_departure), stay(2, 2)).is_ok());
    assert!(changed(stay(1, 3), restrict(3, closed_to_departure), stay(1, 2)).is_err());
    let stop_sell = RestrictionPatch { stop_sell: set(true), ..Default::default() };
    assert!(changed(stay(1, 3), restrict(2, stop_sell), stay(1, 4)).is_ok());
    assert!(changed(stay(1, 3), restrict(4, stop_sell), stay(1, 4)).is_err());
    let longer = RestrictionPatch { min_nights_through: set(5), ..Default::default() };
    assert!(changed(stay(1, 3), restrict(2, longer), stay(2, 3)).is_ok());
    assert!(changed(stay(1, 3), restrict(4, longer), stay(2, 3)).is_err());
    assert!(changed(stay(1, 3), restrict(2, longer), stay(1, 4)).is_err());
    let longer = RestrictionPatch { min_nights_arrival: set(5), ..Default::default() };
    assert!(changed(stay(1, 3), restrict(1, longer), stay(1, 3)).is_ok());
    assert!(changed(stay(1, 3), restrict(1, longer), stay(1, 4)).is_err());
}

#[test]
fn guests_keep_rooms_that_stricter_rules_would_refuse() {
    let mut house = inventory(1);
    house.hotel = std::sync::Arc::new(Hotel { max_nights: 40, ..hotel() });
    let family = Order { guests: guests(&[34, 36, 3]), ..order(stay(0, 35), 1) };
    let kept = booked(&mut house, 1, family);
    house.hotel = std::sync::Arc::new(hotel());
    house.room_type.occupancy.max_children = 0;
    let ask =
        |stay| Enquiry { stay, rooms: 1, party: kept.party(), rate_plan: None, forced: false, keeping: Some(&kept) };
    assert!(house.quote(&ask(stay(0, 34)), noon(0)).is_ok());
    assert_eq!(house.quote(&ask(stay(0, 36)), noon(0)), Err(Refusal::TooManyNights { max: 30 }));
    let more = Enquiry { party: Party { adults: 1, children: 2 }, ..ask(stay(0, 34)) };
    assert_eq!(house.quote(&more, noon(0)), Err(Refusal::Occupancy));
}

#[test]
fn added_rooms_need_capacity_on_every_night() {
    let mut house = inventory(3);
    let kept = booked(&mut house, 1, order(stay(1, 3), 1));
    booked(&mut house, 2, order(stay(2, 1), 1));
    let party = Party { adults: 3, children: 0 };
    let ask = |rooms| Enquiry { keeping: Some(&kept), party, ..enquiry(stay(1, 3), rooms) };
    assert_eq!(house.quote(&ask(2), noon(0)).unwrap().total, Amount(6 * PRICE.0));
    let refusal = house.quote(&ask(3), noon(0)).unwrap_err();
    let reason = Reason::SoldOut { free: 1, wanted: 2 };
    let nights = vec![FailingNight { date: day(2), reason }];
    assert_eq!(refusal, Refusal::Unavailable { nights, retry_at: None });
}

#[test]
fn an_order_that_names_no_plan_is_refused_where_several_sell() {
    let mut house = inventory(3);
    let open = |rate_plan| Order { rate_plan, ..order(stay(1, 2), 1) };
    let decide = |house: &Inventory, choice| {
        let fact = house.decide(book(9, open(choice), noon(0)), super::super::testing::fact_id(9), noon(0))?;
        Ok::<_, Refusal>(fact.change.booking().unwrap().rate_plan_id)
    };
    let (first, second) = (plan(1, PRICE).id, plan(2, Amount(8_000)).id);
    assert_eq!(decide(&house, PlanChoice::Only), Ok(first));
    let strict = RatePlan { policy: crate::domain::CancellationPolicy::non_refundable(), ..plan(2, Amount(8_000)) };
    run(&mut house, Command::SetRatePlan(strict), noon(0)).unwrap();
    let offer = |rate_plan, number: u64, refundable, total| PlanOffer {
        rate_plan,
        name: format!("Plan {number}"),
        refundable,
        total: Amount(total),
    };
    let plans = vec![offer(second, 2, false, 16_000), offer(first, 1, true, 20_000)];
    assert_eq!(decide(&house, PlanChoice::Only), Err(Refusal::RatePlanRequired { plans }));
    assert_eq!(decide(&house, PlanChoice::Cheapest), Ok(second));
    assert_eq!(decide(&house, PlanChoice::Named(first)), Ok(first));
    // Where one of them does not sell this stay, there is nothing to choose.
    let closing = RestrictionPatch { stop_sell: set(true), ..RestrictionPatch::default() };
    let closed = NightsChange { rate_plan: Some(second), restriction: closing, ..nights_change(2, 1) };
    run(&mut house, Command::SetNights(closed), noon(0)).unwrap();
    assert_eq!(decide(&house, PlanChoice::Only), Ok(first));
}

#[test]
fn a_plan_whose_total_cannot_be_sold_is_no_choice() {
    let mut house = inventory(3);
    let absurd = Command::SetRatePlan(plan(2, Amount::MAX_TOTAL));
    run(&mut house, absurd, noon(0)).unwrap();
    let two_nights = Order { rate_plan: PlanChoice::Only, ..order(stay(1, 2), 1) };
    let fact = run(&mut house, book(9, two_nights, noon(0)), noon(0)).unwrap();
    assert_eq!(fact.change.booking().unwrap().rate_plan_id, plan(1, PRICE).id);
}

#[test]
fn search_offers_what_a_quote_sells() {
    let mut house = inventory(1);
    run(&mut house, Command::SetRatePlan(plan(2, Amount(8_000))), noon(0)).unwrap();
    booked(&mut house, 1, order(stay(4, 1), 1));
    for (from, nights) in [(-1, 2), (0, 1), (1, 3), (2, 3), (4, 1), (5, 31), (729, 2)] {
        let ask = enquiry(stay(from, nights), 1);
        let quote = house.quote(&ask, noon(0)).ok();
        assert_eq!(house.offer_on(&ask, day(0)), quote, "from {from} for {nights}");
        assert_eq!(house.offers_on(&ask, day(0)).first(), quote.as_ref(), "from {from} for {nights}");
    }
}

#[test]
fn every_room_needs_an_adult_unless_forced() {
    let house = inventory(3);
    let of = |adults, children, forced| {
        house.quote(&Enquiry { party: Party { adults, children }, forced, ..enquiry(stay(0, 1), 2) }, noon(0)).is_ok()
    };
    assert!(of(2, 0, false) && of(2, 2, false));
    assert!(!of(1, 0, false) && !of(0, 2, false) && !of(1, 2, false));
    assert!(of(1, 0, true) && of(0, 2, true));
    assert!(!of(5, 0, true) && !of(0, 0, true), "the places are as many as they are");
}

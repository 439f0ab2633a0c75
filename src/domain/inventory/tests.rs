//! Totals of bookings and their limit.

use super::super::order::{MAX_GUESTS, ServiceOrder};
use super::super::testing::{book, breakfast, guests, inventory, noon, order, plan, run, stay};
use super::super::{Amendment, Amount, Occupancy, RatePlan};
use super::*;

const DEAR: Amount = Amount::MAX_PRICE;

/// A hotel for large parties, at a price per night.
fn house(price: Amount) -> Inventory {
    let mut house = inventory(100);
    house.hotel = Arc::new(Hotel { max_nights: 700, ..Hotel::clone(&house.hotel) });
    house.room_type.occupancy = Occupancy { max_adults: 500, max_children: 0, max_occupancy: 500 };
    house.plans = vec![RatePlan { price, ..plan(1, price) }];
    house.services[0].price = DEAR;
    house
}

fn sold(house: &mut Inventory, order: Order) -> Result<Arc<Booking>, Refusal> {
    let fact = run(house, book(1, order, noon(0)), noon(0))?;
    Ok(fact.change.booking().unwrap().clone())
}

#[test]
fn a_total_beyond_the_limit_is_neither_offered_nor_sold() {
    let party = Party { adults: 100, children: 0 };
    let ask = |rooms| Enquiry { stay: stay(1, 700), rooms, party, rate_plan: None, forced: false, keeping: None };
    let mut house = house(DEAR);
    assert_eq!(house.quote(&ask(100), noon(0)).map(|quote| quote.total), Ok(Amount(DEAR.0 * 70_000)));
    house.plans[0].price = Amount(DEAR.0 * 2);
    assert_eq!(house.quote(&ask(100), noon(0)), Err(Refusal::TotalTooLarge));
    assert_eq!(sold(&mut house, order(stay(1, 700), 100)), Err(Refusal::TotalTooLarge));
}

#[test]
fn services_count_too_and_a_change_may_not_grow_beyond_the_limit() {
    let breakfasts = |quantity| vec![ServiceOrder { service_id: breakfast().id, quantity }];
    let crowd = Order { guests: guests(&[30; MAX_GUESTS]), ..order(stay(1, 1), 1) };
    let mut house = house(Amount(1));
    let too_many = Order { services: breakfasts(u16::MAX), ..crowd.clone() };
    assert_eq!(sold(&mut house, too_many), Err(Refusal::TotalTooLarge));
    let booking = sold(&mut house, Order { services: breakfasts(100), ..crowd }).unwrap();
    assert_eq!(booking.total(), Amount(DEAR.0 * 50_000 + 1));
    let longer = Amendment { check_out: Some(stay(1, 2).check_out()), ..Amendment::default() };
    let act = Command::Move { booking, act: Move::Amend(longer), expected: None };
    assert_eq!(run(&mut house, act, noon(0)), Err(Refusal::TotalTooLarge));
}

//! The oracle: every room type loaded as its owner loads it, and quoted one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use innkeeper::clock::Clock;
use innkeeper::domain::quote::Enquiry;
use innkeeper::domain::{Amount, HotelId, Inventory, Party, PlanChoice, Quote, RoomTypeId, Stay, Timestamp};
use innkeeper::search::calendar::{Best, Visit};
use innkeeper::search::{Index, Position, Search, SearchArea, Sort, globe};
use jiff::ToSpan;

use super::follow::assert_same;
use super::index_of;
use super::town::{Town, order};
use crate::support::app::with_lone_app;

/// The offer of a hotel: its room types with their prices, the cheapest first, and its distance.
#[derive(Debug, PartialEq)]
struct Found {
    hotel: HotelId,
    metres: Option<u32>,
    room_types: Vec<(RoomTypeId, Quote, u64)>,
}

fn enquiry(stay: Stay, party: Party, rooms: u16) -> Enquiry<'static> {
    Enquiry { stay, rooms, party, rate_plan: None, forced: false, keeping: None }
}

/// All hotels that a search should find, in order.
fn expected(inventories: &[Inventory], search: &Search, now: Timestamp) -> Vec<Found> {
    let mut hotels = BTreeMap::<HotelId, (&Inventory, Found)>::new();
    for inventory in inventories {
        let hotel = &inventory.hotel;
        let metres = match &search.place {
            SearchArea::City(city) if city.to_lowercase() == hotel.city.to_lowercase() => None,
            SearchArea::City(_) => continue,
            SearchArea::Around(centre, radius) => match hotel.location.map(|place| globe::distance(*centre, place)) {
                Some(distance) if distance <= *radius => Some(distance.round() as u32),
                _ => continue,
            },
        };
        let Ok(quote) = inventory.quote(&enquiry(search.stay, search.party, search.rooms), now) else { continue };
        let found = Found { hotel: hotel.id, metres, room_types: Vec::new() };
        let (_, found) = hotels.entry(hotel.id).or_insert((inventory, found));
        found.room_types.push((inventory.room_type.id, quote, inventory.sequence()));
    }
    let mut all: Vec<_> = hotels.into_values().collect();
    for (_, found) in &mut all {
        found.room_types.sort_by_key(|(id, quote, _)| (quote.total, *id));
    }
    all.sort_by_key(|(inventory, found)| match search.sort {
        Sort::Price => (inventory.hotel.currency.code(), found.room_types[0].1.total.minor(), found.hotel),
        Sort::Distance => ("", i64::from(found.metres.unwrap()), found.hotel),
    });
    all.into_iter().map(|(_, found)| found).collect()
}

/// All hotels that the index finds, page by page.
fn found(index: &Index, search: &Search, now: Timestamp) -> Vec<Found> {
    let (mut search, mut found) = (search.clone(), Vec::new());
    loop {
        let page = index.search(&search, now);
        assert!(page.offers.len() == search.limit || page.next.is_none(), "a page that is not the last is full");
        for offer in page.offers {
            assert_eq!(offer.total, offer.room_types[0].plans[0].quote.total);
            let room_types =
                offer.room_types.into_iter().map(|it| (it.id, it.plans[0].quote.clone(), it.sequence)).collect();
            found.push(Found { hotel: offer.hotel.id, metres: offer.metres, room_types });
        }
        assert!(page.next > search.after || page.next.is_none());
        search.after = page.next;
        let Some(Position::Price { .. } | Position::Distance { .. }) = search.after else { return found };
    }
}

/// Checks that the index agrees with its store. Returns the number of offers.
async fn compare(town: &mut Town<'_>) -> usize {
    town.caught_up().await;
    let (now, inventories) = (town.app.clock.now(), town.inventories().await);
    let mut offers = 0;
    for _ in 0..10 {
        let search = town.search();
        let found = found(&town.app.running.search, &search, now);
        assert_eq!(found, expected(&inventories, &search, now), "{search:?}");
        offers += found.len();
    }
    offers
}

#[test]
fn search_agrees_with_a_brute_force_oracle_after_random_changes() {
    for seed in 0..6 {
        with_lone_app(async |app| {
            let mut town = Town::found(app, seed).await;
            let mut offers = 0;
            for _ in 0..12 {
                for _ in 0..6 {
                    town.live().await;
                }
                offers += compare(&mut town).await;
            }
            assert!(offers > 100, "seed {seed}: only {offers} offers were compared");

            let (fresh, _) = index_of(&app.running.store, app.clock.now()).await;
            assert_same(&app.running.search, &fresh, app.clock.now());
        });
    }
}

#[test]
fn booking_accepts_what_search_offers_and_refuses_the_rest() {
    for seed in 100..104 {
        with_lone_app(async |app| {
            let mut town = Town::found(app, seed).await;
            let (mut accepted, mut refused) = (0, 0);
            for _ in 0..30 {
                town.live().await;
                town.caught_up().await;
                let search = town.search();
                let offered = found(&app.running.search, &search, app.clock.now());
                let offered: BTreeMap<RoomTypeId, Quote> =
                    offered.into_iter().flat_map(|hotel| hotel.room_types).map(|(id, quote, _)| (id, quote)).collect();
                let hidden = expected_hidden(&town.inventories().await, &search, &offered);
                if let Some((id, quote)) = offered.into_iter().next() {
                    let plan = PlanChoice::Named(quote.rate_plan);
                    let booked = town.book(id, order(search.stay, search.party, search.rooms, plan)).await.unwrap();
                    assert_eq!(booked.booking.prices, quote.prices);
                    accepted += 1;
                }
                if let Some(id) = hidden {
                    let order = order(search.stay, search.party, search.rooms, PlanChoice::Cheapest);
                    town.book(id, order).await.expect_err("search hid what can be booked");
                    refused += 1;
                }
            }
            assert!(accepted > 5 && refused > 5, "seed {seed}: {accepted} accepted, {refused} refused");
        });
    }
}

/// A room type of the searched city that was not offered.
fn expected_hidden(
    inventories: &[Inventory],
    search: &Search,
    offered: &BTreeMap<RoomTypeId, Quote>,
) -> Option<RoomTypeId> {
    let in_place = |inventory: &&Inventory| match &search.place {
        SearchArea::City(city) => city.to_lowercase() == inventory.hotel.city.to_lowercase(),
        SearchArea::Around(centre, radius) => {
            inventory.hotel.location.is_some_and(|place| globe::distance(*centre, place) <= *radius)
        }
    };
    let all = inventories.iter().filter(in_place).map(|inventory| inventory.room_type.id);
    all.into_iter().find(|id| !offered.contains_key(id))
}

#[test]
fn the_calendar_of_a_hotel_agrees_with_the_oracle() {
    with_lone_app(async |app| {
        let mut town = Town::found(app, 7).await;
        let mut prices = 0;
        for _ in 0..60 {
            town.live().await;
        }
        town.caught_up().await;
        let (now, inventories) = (app.clock.now(), town.inventories().await);
        for nights in 1..5 {
            let (hotel, from) = (town.some_hotel(), town.today().saturating_sub(2.days()));
            let visit = Visit { nights, party: Party { adults: 1, children: 0 }, rooms: 1 };
            let window = from.saturating_add(20.days());
            let arrivals = app.running.search.calendar(hotel, from, window, visit, now).unwrap();
            assert_eq!(arrivals.days.len(), 20);
            for arrival in &arrivals.days {
                let check_out = arrival.check_in.saturating_add(i64::from(nights).days());
                let stay = Stay::new(arrival.check_in, check_out).unwrap();
                let best = cheapest(&inventories, hotel, enquiry(stay, visit.party, 1), now);
                assert_eq!(arrival.best.map(|Best { total, room_type, .. }| (total, room_type)).ok(), best, "{stay:?}");
                prices += usize::from(best.is_some());
            }
        }
        assert!(prices > 10, "next to nothing was for sale: {prices}");
    });
}

fn cheapest(all: &[Inventory], hotel: HotelId, enquiry: Enquiry, now: Timestamp) -> Option<(Amount, RoomTypeId)> {
    let of_hotel = all.iter().filter(|inventory| Arc::as_ref(&inventory.hotel).id == hotel);
    of_hotel.filter_map(|it| Some((it.quote(&enquiry, now).ok()?.total, it.room_type.id))).min()
}

//! Search and booking quote the same.

use innkeeper::domain::nights_change::{Patch, RestrictionPatch};
use innkeeper::domain::quote::Enquiry;
use innkeeper::domain::{Amount, Command, HotelId, Inventory, NightsChange, Order, Party, Quote, Refusal, Stay};

use super::contract;
use super::fixture::{Desk, StoreFixture, day, order, stay};

/// A room type with every setting that a quote depends on.
async fn busy(house: &StoreFixture) -> Desk {
    let hotel = house.hotel("Casa Azul", "Évora").await;
    let mut desk = house.desk_in(&hotel, 2).await;
    let cheap = desk.plan("Saver", 9000);
    let nights = |from, to| NightsChange::untouched(day(from), day(to));
    let no_departure = RestrictionPatch { closed_to_departure: Patch::Set(true), ..RestrictionPatch::default() };
    let long = RestrictionPatch { min_nights_arrival: Patch::Set(3), ..RestrictionPatch::default() };
    let plan = Some(cheap.id);
    let commands = [
        Command::SetRatePlan(cheap),
        Command::SetNights(NightsChange { restriction: no_departure, ..nights(6, 7) }),
        Command::SetNights(NightsChange { rate_plan: plan, restriction: long, ..nights(2, 5) }),
        Command::SetNights(NightsChange { rate_plan: plan, price: Patch::Set(Amount(7000)), ..nights(8, 12) }),
        Command::SetNights(NightsChange { out_of_order: Patch::Set(1), ..nights(10, 11) }),
    ];
    let mut batch: Vec<_> = commands.into_iter().map(|command| desk.decide(command).unwrap()).collect();
    batch.push(desk.book(order(stay(4, 1), 2)));
    batch.push(desk.book(Order { hold: true, ..order(stay(9, 1), 1) }));
    house.commit(&batch).await;
    desk
}

/// The quote, or the refusal without the expiry of holds, which only the owner knows.
fn quote(inventory: &Inventory, stay: Stay, rooms: u16, desk: &Desk) -> Result<Quote, Refusal> {
    let party = Party { adults: 1, children: 0 };
    let enquiry = Enquiry { stay, rooms, party, rate_plan: None, forced: false, keeping: None };
    inventory.quote(&enquiry, desk.now).map_err(|refusal| match refusal {
        Refusal::Unavailable { nights, .. } => Refusal::Unavailable { nights, retry_at: None },
        other => other,
    })
}

async fn what_is_read_to_quote_from_quotes_what_the_owner_quotes(house: StoreFixture) {
    let desk = busy(&house).await;
    let found = house.store.stock(desk.inventory.hotel.id, desk.now).await.unwrap();
    assert_eq!(found.len(), 1);
    // Before today, every combination near it, and around the end of the horizon (120 nights).
    let starts = (-2..14).chain(116..123);
    for (from, nights) in starts.flat_map(|from| (1..=5).map(move |nights| (from, nights))) {
        let stay = stay(from, nights);
        for rooms in [1, 2] {
            let (offered, decided) = (quote(&found[0], stay, rooms, &desk), quote(&desk.inventory, stay, rooms, &desk));
            assert_eq!(offered, decided, "{stay:?}, {rooms} rooms");
        }
    }
}

async fn the_stock_is_read_by_hotel_and_by_id(house: StoreFixture) {
    let (porto, braga) = (house.hotel("Casa", "Porto").await, house.hotel("Casa", "Braga").await);
    let (one, two) = (house.desk_in(&porto, 1).await, house.desk_in(&porto, 1).await);
    let three = house.desk_in(&braga, 1).await;
    let ids = |found: Vec<Inventory>| found.iter().map(|inventory| inventory.room_type.id).collect::<Vec<_>>();
    let found = house.store.stock(porto.id, house.now).await.unwrap();
    assert!(found.iter().all(|inventory| inventory.sequence() == 1 && *inventory.hotel == porto));
    assert_eq!(ids(found), [one.id(), two.id()]);
    let found = house.store.stock_between(two.id()..=three.id(), house.now).await.unwrap();
    assert!(found.iter().all(|inventory| inventory.holds().count() == 0 && inventory.services.is_empty()));
    assert_eq!(ids(found), [two.id(), three.id()]);
    let nowhere = HotelId(house.id());
    assert_eq!(ids(house.store.stock(nowhere, house.now).await.unwrap()), []);
}

contract!(what_is_read_to_quote_from_quotes_what_the_owner_quotes, the_stock_is_read_by_hotel_and_by_id);

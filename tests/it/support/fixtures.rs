//! A small house, and orders for it.

use std::path::Path;

use innkeeper::clock::{IdSource, System};
use innkeeper::domain::catalogue::Zone;
use innkeeper::domain::{
    Amount, CancellationPolicy, Contact, Guest, Hotel, HotelId, Mobile, Occupancy, Order, RatePlan, RatePlanId,
    RoomType, RoomTypeId, Stay,
};
use innkeeper::store::sqlite::Sqlite;

/// A migrated store in a folder.
pub async fn store(folder: &Path) -> Sqlite {
    let store = Sqlite::open(&format!("sqlite://{}", folder.join("innkeeper.db").display()), true).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// A hotel in Lisbon with one room type and one plan at 100.00 a night.
pub fn house(rooms: u16) -> (Hotel, RoomType, RatePlan) {
    let hotel = Hotel {
        id: HotelId(System.next()),
        name: "Casa da Praia".into(),
        city: "Lisbon".into(),
        country: "PT".into(),
        timezone: Zone::parse("Europe/Lisbon").unwrap(),
        currency: "EUR".parse().unwrap(),
        check_in_time: Hotel::DEFAULT_CHECK_IN_TIME,
        check_out_time: Hotel::DEFAULT_CHECK_OUT_TIME,
        location: None,
        max_nights: Hotel::DEFAULT_MAX_NIGHTS,
        horizon_nights: Hotel::DEFAULT_HORIZON_NIGHTS,
    };
    let room_type = RoomType {
        id: RoomTypeId(System.next()),
        hotel_id: hotel.id,
        name: "Double".into(),
        occupancy: Occupancy { max_adults: 2, max_children: 2, max_occupancy: 3 },
        rooms,
        overbooking_allowance: 0,
    };
    let plan = RatePlan {
        id: RatePlanId(System.next()),
        room_type_id: room_type.id,
        name: "Flexible".into(),
        price: Amount(10_000),
        policy: CancellationPolicy::flexible(),
        nights: Default::default(),
    };
    (hotel, room_type, plan)
}

/// One room for one guest.
pub fn order_for(stay: Stay) -> Order {
    Order {
        rate_plan: None,
        stay,
        rooms: 1,
        guests: vec![Guest::new("Ana Lopes", 34).unwrap()],
        services: Vec::new(),
        contact: Contact { mobile: Mobile::parse("+351912345678").unwrap(), email: None },
        external_reference: None,
        hold: false,
        expected_sequence: None,
        agreed_price: None,
    }
}

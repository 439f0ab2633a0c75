//! Examples of request bodies, and of answers (`answers`).
//!
//! A server accepts the bodies if it has a hotel, a room type, a rate plan and a service with these ids. The demo data
//! and the tests create them.

mod answers;

pub use answers::{answer, problem};

use jiff::Span;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::{Date, HotelId, RatePlanId, RoomTypeId, ServiceId};

/// The id of the example hotel.
pub const HOTEL: HotelId = HotelId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0001));
/// The id of its room type.
pub const ROOM_TYPE: RoomTypeId = RoomTypeId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0002));
/// The id of the room type's rate plan.
pub const RATE_PLAN: RatePlanId = RatePlanId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0003));
/// The id of the hotel's service.
pub const SERVICE: ServiceId = ServiceId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0004));
/// The city of the example search.
pub const CITY: &str = "Lisbon";
/// The date for documents that must be the same every day.
pub const DAY: Date = Date::constant(2027, 1, 15);

/// The example for the `{id}` of a path.
pub fn id_for(path: &str) -> Option<Uuid> {
    let beginnings: [(&str, Uuid); 4] = [
        ("/v1/hotels/", HOTEL.0),
        ("/v1/room-types/", ROOM_TYPE.0),
        ("/v1/rate-plans/", RATE_PLAN.0),
        ("/v1/services/", SERVICE.0),
    ];
    beginnings.iter().find(|(beginning, _)| path.starts_with(beginning)).map(|(_, id)| *id)
}

/// The date `days` days after today.
pub fn ahead(today: Date, days: i32) -> String {
    today.saturating_add(Span::new().days(days)).to_string()
}

pub fn hotel() -> Value {
    json!({
        "name": "Casa do Rio",
        "city": CITY,
        "country": "PT",
        "timezone": "Europe/Lisbon",
        "currency": "EUR",
        "check_in_time": "15:00",
        "coordinates": { "latitude": 38.7139, "longitude": -9.1334 },
        "max_nights": 30
    })
}

pub fn room_type() -> Value {
    json!({ "name": "Double room", "max_adults": 2, "max_children": 1, "max_occupancy": 3, "rooms": 10 })
}

pub fn rate_plan() -> Value {
    json!({
        "name": "Flexible",
        "price_minor": 12_000,
        "refundable": true,
        "cancellation_tiers": [
            { "hours_before_check_in": 48, "fee": { "type": "none" } },
            { "hours_before_check_in": 0, "fee": { "type": "nights", "nights": 1 } }
        ],
        "no_show_fee": { "type": "percent", "percent": 100 }
    })
}

pub fn service() -> Value {
    json!({ "name": "Breakfast", "basis": "per_person_night", "price_minor": 1_500 })
}

pub fn nights(today: Date) -> Value {
    let (from, to) = (ahead(today, 60), ahead(today, 90));
    json!({ "items": [
        { "from": from, "to": to, "weekdays": ["fri", "sat"], "rate_plan_id": RATE_PLAN, "price_minor": 15_000 },
        { "from": from, "to": to, "min_nights_through": 2 },
        { "from": from, "to": to, "out_of_order": 1, "physical": null }
    ] })
}

pub fn booking(today: Date) -> Value {
    json!({
        "room_type_id": ROOM_TYPE,
        "rate_plan_id": RATE_PLAN,
        "checkin_date": ahead(today, 30),
        "checkout_date": ahead(today, 33),
        "rooms": 1,
        "num_guests": 2,
        "guests": [{ "name": "Ana Lopes", "age": 34 }, { "name": "Rui Lopes", "age": 6 }],
        "services": [{ "service_id": SERVICE, "quantity": 1 }],
        "contact": { "mobile": "+351912345678", "email": "ana@example.com" },
        "hold": true,
        "external_reference": "web-1001"
    })
}

pub fn amendment(today: Date) -> Value {
    json!({ "checkin_date": ahead(today, 31), "checkout_date": ahead(today, 35) })
}

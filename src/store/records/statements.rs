//! Every statement of this folder by its name, for the tests that look at its query plan on each database.

use super::{bookings, events, evidence, hotels, idempotency, nights, rate_plans, room_types, services, stock};
use crate::store::db::Dialect;

/// The statements of which none may read a whole table. Those of lists are in the tests of each database.
pub fn all(dialect: &Dialect) -> Vec<(&'static str, String)> {
    let dialect_texts = [
        ("hotels::insert", hotels::insert_text(dialect)),
        ("hotels::update", hotels::update_text(dialect)),
        ("hotels::touch", hotels::touch_text(dialect)),
        ("bookings::by_id", bookings::by_id_text(dialect)),
        ("idempotency::delete_expired", idempotency::delete_expired_text(dialect)),
        ("stock::of_hotel", stock::of_hotel_text(dialect)),
        ("stock::between", stock::between_text(dialect)),
    ];
    let texts = [
        ("hotels::by_id", hotels::BY_ID),
        ("hotels::list", hotels::LIST),
        ("hotels::list_of_city", hotels::LIST_OF_CITY),
        ("hotels::ids", hotels::IDS),
        ("room_types::insert", room_types::INSERT),
        ("room_types::by_id", room_types::BY_ID),
        ("room_types::list", room_types::LIST),
        ("room_types::ids", room_types::IDS),
        ("room_types::ids_of_hotel", room_types::IDS_OF_HOTEL),
        ("rate_plans::by_id", rate_plans::BY_ID),
        ("rate_plans::list", rate_plans::LIST),
        ("bookings::count_live", bookings::COUNT_LIVE),
        ("services::insert", services::INSERT),
        ("services::update", services::UPDATE),
        ("services::by_id", services::BY_ID),
        ("services::list", services::LIST),
        ("idempotency::insert", idempotency::INSERT),
        ("events::moment", events::MOMENT),
        ("nights::counted", nights::COUNTED),
        ("evidence::sequence", evidence::SEQUENCE),
        ("evidence::nights", evidence::NIGHTS),
        ("evidence::bookings", evidence::BOOKINGS),
        ("evidence::bookings_without_event", evidence::BOOKINGS_WITHOUT_EVENT),
    ];
    let texts = texts.map(|(name, text)| (name, text.to_owned()));
    dialect_texts.into_iter().chain(texts).collect()
}

/// Lists of what belongs to something, and the index that finds it there.
pub const LISTS: [(&str, &str); 4] = [
    (hotels::LIST_OF_CITY, "hotels_by_city"),
    (room_types::LIST, "room_types_by_hotel"),
    (rate_plans::LIST, "rate_plans_by_room_type"),
    (services::LIST, "services_by_hotel"),
];

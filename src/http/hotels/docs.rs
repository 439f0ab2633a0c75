//! The OpenAPI text of hotels.

use serde_json::json;

use super::body::{HotelBody, HotelPatch, HotelView};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, REPLAYED, UNCHANGED, VERSION, get, patch, post};
use crate::http::describe::schemas::Kind;
use crate::http::page::List;

const CHANGE: &str = "A JSON merge patch: null resets a member to its default. The currency cannot change. A new time \
                      zone moves the check-in and check-out times of live bookings, so it needs `force` with a name. \
                      Cancellation deadlines do not move.";
const ADDRESS: &[(&str, &str)] = &[("Location", "The path of the hotel."), VERSION[0], REPLAYED];

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/hotels", "list_hotels")
            .says("List hotels", "In the order of creation.")
            .may(
                "city",
                Kind::Text,
                "Only hotels of this city. Upper and lower case, and the encoding of accents, do not matter.",
            )
            .paged()
            .answers::<List<HotelView>>(200, "A page of hotels.", &[]),
        post("/v1/hotels", "create_hotel")
            .says("Create a hotel", "")
            .administrator()
            .idempotent_by_administrator()
            .body::<HotelBody>(example::hotel())
            .answers::<HotelView>(201, "The hotel.", ADDRESS),
        get("/v1/hotels/{id}", "read_hotel")
            .says("Get a hotel", "")
            .cacheable()
            .answers::<HotelView>(200, "The hotel.", VERSION)
            .refuses(&[Code::NoSuchHotel]),
        patch("/v1/hotels/{id}", "change_hotel")
            .says("Update a hotel", CHANGE)
            .administrator()
            .merge_patch::<HotelPatch>(json!({ "max_nights": 60, "coordinates": null }))
            .conditional(UNCHANGED)
            .answers::<HotelView>(200, "The updated hotel.", VERSION)
            .refuses(&[Code::NoSuchHotel, Code::LiveBookings])
            .from_engine(),
    ];
    docs.into_iter().map(|doc| doc.tag("hotels").from_store()).collect()
}

//! What `/openapi.json` says about hotels.

use serde_json::json;

use super::body::{HotelBody, HotelPatch, HotelView};
use crate::http::code::Code;
use crate::http::openapi::example;
use crate::http::openapi::operation::{Doc, UNCHANGED, VERSION, get, patch, post};
use crate::http::openapi::schemas::Kind;
use crate::http::page::List;

const CHANGE: &str = "A merge patch: null returns a member to its default. The currency stays. A new time zone moves the \
                      check-in and check-out times of bookings that are not over: then it needs `force` with a name. \
                      Cancellation deadlines stay as they were sold.";
const ADDRESS: &[(&str, &str)] = &[("Location", "The hotel's address."), VERSION[0]];

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/hotels", "list_hotels")
            .says("List hotels", "In order of creation.")
            .may("city", Kind::Text, "Only hotels of this city; capitals and the encoding of accents do not matter.")
            .paged()
            .answers::<List<HotelView>>(200, "A page of hotels.", &[]),
        post("/v1/hotels", "create_hotel")
            .says("Create a hotel", "")
            .administrator()
            .without_key()
            .body::<HotelBody>(example::hotel())
            .answers::<HotelView>(201, "The hotel.", ADDRESS),
        get("/v1/hotels/{id}", "read_hotel")
            .says("Read a hotel", "")
            .cacheable()
            .answers::<HotelView>(200, "The hotel.", VERSION)
            .refuses(&[Code::NoSuchHotel]),
        patch("/v1/hotels/{id}", "change_hotel")
            .says("Change a hotel", CHANGE)
            .administrator()
            .merge_patch::<HotelPatch>(json!({ "max_nights": 60, "coordinates": null }))
            .conditional(UNCHANGED)
            .answers::<HotelView>(200, "The hotel as it is now.", VERSION)
            .refuses(&[Code::NoSuchHotel, Code::LiveBookings])
            .from_engine(),
    ];
    docs.into_iter().map(|doc| doc.tag("hotels").from_store()).collect()
}

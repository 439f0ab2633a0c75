//! The OpenAPI text of room types.

use serde_json::json;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, REPLAYED, UNCHANGED, VERSION, get, patch, post};
use crate::http::page::List;

const OPEN: &str = "The room type is for sale on all nights of the booking horizon as soon as it has a rate plan. Its \
                    nights may restrict that.";
const CHANGE: &str = "A JSON merge patch. A number of rooms below the sold and held rooms of a night is refused. The \
                      problem lists these nights.";

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/hotels/{id}/room-types", "list_room_types")
            .says("List the room types of a hotel", "In the order of creation.")
            .paged()
            .answers::<List<RoomTypeView>>(200, "A page of room types.", &[])
            .refuses(&[Code::NoSuchHotel]),
        post("/v1/hotels/{id}/room-types", "create_room_type")
            .says("Create a room type", OPEN)
            .administrator()
            .idempotent_by_administrator()
            .body::<RoomTypeBody>(example::room_type())
            .answers::<RoomTypeView>(
                201,
                "The room type.",
                &[("Location", "The path of the room type."), VERSION[0], REPLAYED],
            )
            .refuses(&[Code::NoSuchHotel]),
        get("/v1/room-types/{id}", "read_room_type")
            .says("Get a room type", "")
            .cacheable()
            .answers::<RoomTypeView>(200, "The room type.", VERSION)
            .refuses(&[Code::NoSuchRoomType]),
        patch("/v1/room-types/{id}", "change_room_type")
            .says("Update a room type", CHANGE)
            .administrator()
            .merge_patch::<RoomTypeBody>(json!({ "rooms": 12, "overbooking_allowance": 1 }))
            .conditional(UNCHANGED)
            .answers::<RoomTypeView>(200, "The updated room type.", VERSION)
            .refuses(&[Code::NoSuchRoomType, Code::CapacityBelowSold])
            .from_engine(),
    ];
    docs.into_iter().map(|doc| doc.tag("room types").from_store()).collect()
}

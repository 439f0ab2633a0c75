//! The OpenAPI text of rate plans.

use serde_json::json;

use super::body::{RatePlanBody, RatePlanView};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, REPLAYED, UNCHANGED, VERSION, get, patch, post};
use crate::http::page::List;

const CHANGE: &str = "A JSON merge patch. A rate plan that becomes refundable or non-refundable gets the default tiers \
                      and fees of its new kind, unless the patch has others. A fee is replaced as a whole. Existing \
                      bookings keep their prices and their policy.";

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/room-types/{id}/rate-plans", "list_rate_plans")
            .says("List the rate plans of a room type", "In the order of creation.")
            .paged()
            .answers::<List<RatePlanView>>(200, "A page of rate plans.", &[])
            .refuses(&[Code::NoSuchRoomType]),
        post("/v1/room-types/{id}/rate-plans", "create_rate_plan")
            .says("Create a rate plan", "")
            .administrator()
            .idempotent_by_administrator()
            .body::<RatePlanBody>(example::rate_plan())
            .answers::<RatePlanView>(
                201,
                "The rate plan.",
                &[("Location", "The path of the rate plan."), VERSION[0], REPLAYED],
            )
            .refuses(&[Code::NoSuchRoomType])
            .from_engine(),
        get("/v1/rate-plans/{id}", "read_rate_plan")
            .says("Get a rate plan", "")
            .cacheable()
            .answers::<RatePlanView>(200, "The rate plan.", VERSION)
            .refuses(&[Code::NoSuchRatePlan]),
        patch("/v1/rate-plans/{id}", "change_rate_plan")
            .says("Update a rate plan", CHANGE)
            .administrator()
            .merge_patch::<RatePlanBody>(json!({ "price_minor": 13_000 }))
            .conditional(UNCHANGED)
            .answers::<RatePlanView>(200, "The updated rate plan.", VERSION)
            .refuses(&[Code::NoSuchRatePlan])
            .from_engine(),
    ];
    docs.into_iter().map(|doc| doc.tag("rate plans").from_store()).collect()
}

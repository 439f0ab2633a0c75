//! The OpenAPI text of services.

use serde_json::json;

use super::body::{ServiceBody, ServiceView};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, REPLAYED, UNCHANGED, VERSION, get, patch, post};
use crate::http::page::List;

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/v1/hotels/{id}/services", "list_services")
            .says("List the services of a hotel", "In the order of creation.")
            .paged()
            .answers::<List<ServiceView>>(200, "A page of services.", &[])
            .refuses(&[Code::NoSuchHotel]),
        post("/v1/hotels/{id}/services", "create_service")
            .says("Create a service", "")
            .administrator()
            .idempotent_by_administrator()
            .body::<ServiceBody>(example::service())
            .answers::<ServiceView>(
                201,
                "The service.",
                &[("Location", "The path of the service."), VERSION[0], REPLAYED],
            )
            .refuses(&[Code::NoSuchHotel])
            .from_engine(),
        get("/v1/services/{id}", "read_service")
            .says("Get a service", "")
            .cacheable()
            .answers::<ServiceView>(200, "The service.", VERSION)
            .refuses(&[Code::NoSuchService]),
        patch("/v1/services/{id}", "change_service")
            .says("Update a service", "A JSON merge patch. Booked services keep their name and price.")
            .administrator()
            .merge_patch::<ServiceBody>(json!({ "price_minor": 1_600 }))
            .conditional(UNCHANGED)
            .answers::<ServiceView>(200, "The updated service.", VERSION)
            .refuses(&[Code::NoSuchService])
            .from_engine(),
    ];
    docs.into_iter().map(|doc| doc.tag("services").from_store()).collect()
}

//! The description of the API, for machines and for people. Everything is in the binary: no network is needed.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::health::Health;
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::extract::IfNoneMatch;
use crate::http::openapi::openapi_on;
use crate::http::openapi::operation::{Doc, get};
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::ws;

const JSON: &str = "application/json";
const READY: &str = "The store answers, what is decided can become durable, and the search index is built. A node of \
                     several is a member of its cluster: it has the secret, the time and the database of the others \
                     (else `not_a_member`), and Redis has answered it within the time of a lease. Not from the \
                     moment on when the node drains or is told to stop: it still answers, but a balancer should look \
                     elsewhere.";

/// `GET /openapi.json`. The dates of its examples lie ahead of today, so that they can be tried out.
pub async fn openapi(state: Data<State>, request: HttpRequest, known: IfNoneMatch) -> Result<HttpResponse, Problem> {
    let today = today(&state);
    let make = move || Some((JSON.to_owned(), serde_json::to_vec(&openapi_on(today)).ok()?));
    state.pages.show("openapi.json", Some(today), make, &request, &known).await
}

/// `GET /asyncapi.json`, with examples that can be sent today.
pub async fn asyncapi(state: Data<State>, request: HttpRequest, known: IfNoneMatch) -> Result<HttpResponse, Problem> {
    let (today, options) = (today(&state), state.gate.options().clone());
    let make = move || Some((JSON.to_owned(), serde_json::to_vec(&ws::asyncapi::document(today, &options)).ok()?));
    state.pages.show("asyncapi.json", Some(today), make, &request, &known).await
}

/// `GET /docs`: Swagger UI lives in a folder.
pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// `GET /docs/…`: Swagger UI.
pub async fn user_interface(
    state: Data<State>,
    file: Path<String>,
    request: HttpRequest,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let file = file.into_inner();
    let name = format!("docs/{file}");
    let make = move || {
        let config = Config::from("/openapi.json").try_it_out_enabled(true);
        let found = utoipa_swagger_ui::serve(&file, Arc::new(config)).ok()??;
        Some((found.content_type, found.bytes.into_owned()))
    };
    state.pages.show(&name, None, make, &request, &known).await
}

fn today(state: &State) -> Date {
    state.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What the document says about its own neighbourhood.
pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/healthz", "live").says("Does the process live?", "").answers::<Health>(200, "Yes.", &[]),
        get("/readyz", "ready").says("Can it serve?", READY).answers::<Health>(200, "Yes.", &[]).refuses(&[
            Code::Starting,
            Code::ShuttingDown,
            Code::Unavailable,
            Code::NotAMember,
        ]),
        get("/metrics", "metrics").says("Metrics for Prometheus", "").answers_otherwise(
            200,
            "Metrics in Prometheus' text format.",
            Some("text/plain"),
        ),
        get("/openapi.json", "openapi").says("This document", "").answers_otherwise(
            200,
            "OpenAPI 3.1.",
            Some("application/json"),
        ),
        get("/asyncapi.json", "asyncapi").says("The protocol of `/v1/ws`", "").answers_otherwise(
            200,
            "AsyncAPI 3.0.",
            Some("application/json"),
        ),
        get("/docs", "docs")
            .says("This document, to look at", "Swagger UI, without any other server.")
            .answers_otherwise(308, "At `/docs/`.", None),
    ];
    docs.into_iter().map(|doc| doc.tag("operation")).collect()
}

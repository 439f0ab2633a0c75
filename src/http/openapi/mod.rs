//! The OpenAPI 3.1 document, and the endpoints that serve it.
//!
//! The document is built from the types of the bodies and from the table of problem codes. Each folder's `docs.rs`
//! describes its endpoints. A test compares the document with [`super::routes`].

pub mod handler;
pub mod pages;

pub use pages::Pages;

use std::collections::BTreeMap;

use utoipa::openapi::info::LicenseBuilder;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem, Server};

use super::code::Code;
use super::describe::operation::{ADMINISTRATOR, Doc, MANAGER};
use super::describe::{example, schemas};
use super::problem::Document;
use super::{bookings, cluster, events, hotels, nights, rate_plans, room_types, search, services, system};
use crate::domain::Date;

const INTRODUCTION: &str = "Books hotel rooms and never sells the same room night twice.

**Formats.** A date is the hotel's own date, `YYYY-MM-DD`. An instant is RFC 3339. An amount of money is an integer in minor
units (`…_minor`); a `currency` stands beside it. Unknown members, unknown parameters and repeated names are refused. A list
is `{items, next_cursor}`.

**Idempotency.** Send an `Idempotency-Key` with every `POST` that creates or changes something. A repeated request with the
same key gets the first answer, with the header `Idempotent-Replayed: true`. Keys are kept for one day. Refusals are not
recorded. After a 503, repeat the request with the same key when `Retry-After` has passed.

**Conditional requests.** Availability and bookings have a sequence number as a strong ETag. Hotels, room types, rate plans
and services have an opaque ETag. `If-None-Match` avoids reading the same version again. `If-Match` makes a change take
effect only if the version is unchanged.

**Live updates.** The WebSocket `/v1/ws` sends every change of the nights that you watch when it is committed. The AsyncAPI
document at [`/asyncapi.json`](/asyncapi.json) describes its messages.

**Compatibility.** Within `/v1`, members, endpoints, parameters and problem codes are added, never removed or changed.
Ignore members that you do not know.

**Errors before HTTP.** Some errors are answered before a request is complete. Bytes that are not HTTP/1.1 get 400
`malformed_request`. A head of more than 128 KiB gets 431. A head that arrives too slowly gets 408 `head_timeout`. A
connection beyond the limit gets 503 `too_many_connections`. These answers have no `X-Request-ID` and close the connection.

**Operators.** If the server has a separate listener for operators, only that listener answers `/healthz`, `/readyz` and
`/metrics`.

**Problems** are `application/problem+json` (RFC 9457). Branch on `code`:

| status | code | title |
| --- | --- | --- |
";

const TAGS: [(&str, &str); 8] = [
    ("hotels", "Reading is public. Changes need the administrator's token."),
    ("room types", "A room type is a number of equal rooms that are sold under one name."),
    ("rate plans", "The price of a night, and the conditions of sale."),
    ("services", "Extras that a hotel sells with a room, such as breakfast."),
    ("nights", "Availability, capacity, prices and restrictions of each night."),
    ("bookings", "Search, book, and change bookings."),
    ("events", "Changes of inventory: live at `/v1/ws` (see `/asyncapi.json`), or later from the feed."),
    ("operation", "Endpoints for operators of the server."),
];

/// The document with fixed dates, for the command line and for tests.
pub fn openapi() -> OpenApi {
    openapi_on(example::DAY)
}

/// The document with examples that are valid on `today`.
pub fn openapi_on(today: Date) -> OpenApi {
    let docs = all(today);
    let mut components = Components::from(ComponentsBuilder::new().schema_from::<Document>());
    let mut paths: BTreeMap<&'static str, PathItem> = BTreeMap::new();
    schemas::add::<Document>(&mut components);
    for doc in docs {
        components.schemas.extend(doc.schemas.clone());
        let (path, item) = doc.build(today);
        paths.entry(path).or_default().merge_operations(item);
    }
    schemas::flatten(&mut components);
    schemas::describe_defaults(&mut components);
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    let paths = paths.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let tags = TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    let info = InfoBuilder::new()
        .title("innkeeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(introduction()))
        .license(Some(license()));
    // The server that serves the document serves the API.
    let servers = [Server::new("/")];
    OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

/// The descriptions of all endpoints, in the order of the chapters.
fn all(today: Date) -> Vec<Doc> {
    let chapters = [
        hotels::docs::docs(),
        room_types::docs::docs(),
        rate_plans::docs::docs(),
        services::docs::docs(),
        nights::docs::docs(today),
        search::docs::docs(today),
        bookings::docs::docs(today),
        events::docs::docs(),
        cluster::docs::docs(),
        system::docs::docs(),
    ];
    chapters.into_iter().flatten().collect()
}

fn introduction() -> String {
    let row = |code: &Code| format!("| {} | `{}` | {} |\n", code.status().as_u16(), code.name(), code.title());
    let table: String = Code::ALL.iter().map(row).collect();
    format!("{INTRODUCTION}{table}")
}

fn license() -> License {
    let name = env!("CARGO_PKG_LICENSE");
    LicenseBuilder::new().name(name).identifier(Some(name)).build()
}

fn security_schemes() -> [(&'static str, SecurityScheme); 2] {
    let bearer = |description: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        SecurityScheme::Http(scheme.build())
    };
    [
        (ADMINISTRATOR, bearer("The administrator's token, set by `INNKEEPER_ADMIN_TOKEN`.")),
        (MANAGER, bearer("The `manage_token` of a booking.")),
    ]
}

#[cfg(test)]
mod tests;

//! The description of the API (OpenAPI 3.1), made from the types that read and write the bodies and from the table of
//! problem codes. Each folder's `docs.rs` describes its addresses; a test compares them with [`super::routes`].

pub mod example;
pub mod names;
pub mod operation;
pub mod schemas;

use std::collections::BTreeMap;

use utoipa::openapi::info::LicenseBuilder;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem, Server};

use super::code::Code;
use super::problem::Document;
use super::{bookings, cluster, events, hotels, nights, rate_plans, room_types, search, services, system};
use crate::domain::Date;
use operation::{ADMINISTRATOR, Doc, MANAGER};

const INTRODUCTION: &str = "Books hotel rooms and never sells one twice.

Dates are the hotel's own, `YYYY-MM-DD`; instants are RFC 3339. Money is an integer in minor units (`…_minor`) beside
its `currency`. Unknown members, unknown parameters and doubles are refused. Lists are `{items, next_cursor}`.

**Repeating.** Send an `Idempotency-Key` with every booking and every move of one: whoever repeats a request with the
same key gets the first answer, with the header `Idempotent-Replayed: true`. Keys are remembered for a day; refusals
are not. A 503 means that repeating helps, after `Retry-After`.

**Conditions.** Availability and bookings carry a sequence number as a strong ETag, the catalogue an opaque one.
`If-None-Match` saves reading what you have, `If-Match` makes sure that nothing has changed since you looked.

**Live.** `/v1/ws` tells every change of the nights you watch as it is committed. OpenAPI cannot describe that; the
AsyncAPI document at [`/asyncapi.json`](/asyncapi.json) does.

**Versions.** Within `/v1` members, addresses, parameters and problem codes are added, never removed or changed. Ignore
members you do not know.

**Below the API.** Bytes that are no HTTP/1.1 request get 400 `malformed_request`, a head of more than 128 KiB 431, a
head that does not arrive in time 408 `head_timeout`, and a connection for which there is no place 503
`too_many_connections`. These answers have no `X-Request-ID`, and close the connection.

**Operators.** Where the server has a listener for operators, `/healthz`, `/readyz` and `/metrics` are answered there, and
not here.

**Problems** are `application/problem+json` (RFC 9457). Branch on `code`:

| status | code | title |
| --- | --- | --- |
";

const TAGS: [(&str, &str); 8] = [
    ("hotels", "Houses. Reading is public, writing is for the administrator."),
    ("room types", "What is sold: a number of equal rooms."),
    ("rate plans", "What a night costs, and under which conditions."),
    ("services", "What is sold beside the room."),
    ("nights", "Availability, capacity, prices and restrictions, night by night."),
    ("bookings", "Searching, booking, and everything that happens to a booking."),
    ("events", "Following what happens: live at `/v1/ws` (see `/asyncapi.json`), or later from the feed."),
    ("operation", "For those who run the server."),
];

/// The document, always the same: for the command line and for comparisons.
pub fn openapi() -> OpenApi {
    openapi_on(example::DAY)
}

/// The document with examples that can be sent on `today`.
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
    schemas::tell_defaults(&mut components);
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    let paths = paths.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let tags = TAGS.map(|(name, words)| TagBuilder::new().name(name).description(Some(words)).build());
    let info = InfoBuilder::new()
        .title("innkeeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(introduction()))
        .license(Some(license()));
    // Wherever the document comes from, the API is too.
    let servers = [Server::new("/")];
    OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

/// Every address, in the order of a newcomer's questions.
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
    let bearer = |words: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(words));
        SecurityScheme::Http(scheme.build())
    };
    [
        (ADMINISTRATOR, bearer("The token the server was started with (`INNKEEPER_ADMIN_TOKEN`).")),
        (MANAGER, bearer("The `manage_token` of the booking.")),
    ]
}

#[cfg(test)]
mod tests;

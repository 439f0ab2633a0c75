//! What `/openapi.json` says about events and dashboards.

use super::view::EventView;
use crate::http::code::Code;
use crate::http::openapi::operation::{Doc, get};
use crate::http::openapi::schemas::Kind;
use crate::http::page::List;
use crate::http::page::MAX_LIMIT;

const FEED: &str = "Every fact of every room type, in the order of commits. Begin without `after`, go on with the \
                    `position` of the last event you have; nothing ever appears before a position you have read. \
                    Events are kept for a while only: after a longer pause the answer is 410 and you begin anew, with \
                    a look at the availability first. Guests and contacts are never in an event.";
const LIVE: &str = "WebSocket (RFC 6455), JSON in text messages: a snapshot of the nights you watch, then every change \
                    within milliseconds of its commit, and what you missed when you come back. The protocol is \
                    described at `/asyncapi.json`.";

pub fn docs() -> Vec<Doc> {
    let feed = get("/v1/events", "list_events")
        .says("Follow what happens", FEED)
        .administrator()
        .may(
            "after",
            Kind::Whole(0, i64::MAX),
            "The position of the last event you have. Without it: from the oldest that is kept.",
        )
        .may("limit", Kind::Whole(1, MAX_LIMIT.into()), "Items of a page; otherwise 20.")
        .answers::<List<EventView>>(200, "A page of events; `next_cursor` is the next `after`.", &[])
        .refuses(&[Code::EventsGone])
        .from_store();
    let live = get("/v1/ws", "watch_nights")
        .says("Watch nights live", LIVE)
        .answers_otherwise(101, "Welcome.", None)
        .refuses(&[Code::UpgradeRequired, Code::TooManyDashboards, Code::ShuttingDown]);
    [feed, live].into_iter().map(|doc| doc.tag("events")).collect()
}

//! What `/openapi.json` says about events and dashboards.

use super::view::EventPage;
use crate::http::code::Code;
use crate::http::openapi::operation::{Doc, get};
use crate::http::openapi::schemas::Kind;
use crate::http::page::MAX_LIMIT;

const FEED: &str = "Every fact of every room type, in the order of commits. Begin without `cursor`, go on with the \
                    `next_cursor` of the last page, which is always there; nothing ever appears before a cursor. \
                    Events are kept for a while only. Where they do not go on from a cursor, the answer is 410: after \
                    a long pause, and after an older backup was restored. Read the availability anew, then begin \
                    without a cursor. A page ends early where its events are large, and may \
                    be empty while `more` is true. Guests and contacts are never in an event.";
const LIVE: &str = "WebSocket (RFC 6455), JSON in text messages: a snapshot of the nights you watch, then every change \
                    within milliseconds of its commit, and what you missed when you come back. The protocol is \
                    described at `/asyncapi.json`.";

pub fn docs() -> Vec<Doc> {
    let feed = get("/v1/events", "list_events")
        .says("Follow what happens", FEED)
        .administrator()
        .may("cursor", Kind::Text, "The `next_cursor` of the page before. Without it: from the oldest that is kept.")
        .once_called("after", Kind::Text, "The older name of `cursor`. An empty page then has no `next_cursor`.")
        .may("limit", Kind::Whole(1, MAX_LIMIT.into()), "Items of a page; otherwise 20.")
        .answers::<EventPage>(200, "A page of events.", &[])
        .refuses(&[Code::EventsGone])
        .from_store();
    let live = get("/v1/ws", "watch_nights")
        .says("Watch nights live", LIVE)
        .answers_otherwise(101, "Welcome.", None)
        .refuses(&[Code::UpgradeRequired, Code::TooManyDashboards, Code::ShuttingDown]);
    [feed, live].into_iter().map(|doc| doc.tag("events")).collect()
}

//! The OpenAPI text of events and of the WebSocket.

use super::view::EventPage;
use crate::http::code::Code;
use crate::http::describe::operation::{Doc, get};
use crate::http::describe::schemas::Kind;
use crate::http::page::MAX_LIMIT;

const FEED: &str = "Every event of every room type, in the order of commits. Begin without `cursor`. Then send the \
                    `next_cursor` of the last page, which is always present. No event ever appears before a cursor. \
                    Events are deleted after a retention time. The answer is 410 if the events after a cursor are \
                    deleted, or if an older backup was restored. Then read the availability again and begin without a \
                    cursor. A page ends early if its events are large, and may be empty while `more` is true. An event \
                    never contains guests or contact details.";
const LIVE: &str = "Opens a WebSocket (RFC 6455) with JSON text messages. The server sends a snapshot of the nights \
                    that you watch, and then every change within milliseconds of its commit. After a reconnect it \
                    sends the missed changes. `/asyncapi.json` describes the messages.";

pub fn docs() -> Vec<Doc> {
    let feed = get("/v1/events", "list_events")
        .says("List events", FEED)
        .administrator()
        .may(
            "cursor",
            Kind::Text,
            "The `next_cursor` of the previous page. Without it, the page begins with the oldest event.",
        )
        .deprecated(
            "after",
            Kind::Text,
            "The deprecated name of `cursor`. With it, an empty page has no `next_cursor`.",
        )
        .may("limit", Kind::Whole(1, MAX_LIMIT.into()), "Items on the page. Default: 20.")
        .answers::<EventPage>(200, "A page of events.", &[])
        .refuses(&[Code::EventsGone])
        .from_store();
    let live = get("/v1/ws", "watch_nights")
        .says("Watch nights", LIVE)
        .answers_otherwise(101, "The WebSocket is open.", None)
        .refuses(&[Code::UpgradeRequired, Code::TooManyDashboards, Code::ShuttingDown]);
    [feed, live].into_iter().map(|doc| doc.tag("events")).collect()
}

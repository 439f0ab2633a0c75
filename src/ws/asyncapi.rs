//! The description of the protocol (AsyncAPI 3.0), made from the types that are read and written.
//!
//! [`MESSAGES`] is the one table of frame types; tests compare it with the code, and send its examples.

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::Options;
use super::frame::{Change, Current, Error, Ping, Pong, Snapshot, Subscribe, Unsubscribe};
use super::socket::decoder::FRAGMENTS;
use crate::domain::Date;
use crate::http::openapi::{example, schemas};

const INTRODUCTION: &str = "Nights of room types, live. Connect to `/v1/ws` and send `subscribe`. For each room type \
you get a `snapshot`, then a `change` for every fact that touches the nights you watch, in order of `sequence`, within \
milliseconds of its commit; nothing that is not durable is ever told, and no guest's data.

**Drawing.** Keep a projection per room type. A `snapshot` replaces what you know of its nights, a `change` replaces the \
nights it has; both carry values, not differences. Prices, capacity and restrictions come as a fresh `snapshot`.

**Coming back.** Remember the last `sequence` of each room type and send it as `after`. What you missed comes one by one \
and ends with `current`; if it is too much or too long ago, or if the hotel's settings or midnight have changed what is \
shown, a `snapshot` comes instead.

**Being slow.** What you do not read in time is not kept for you: a `snapshot` with `conflated` stands for it.

**Mistakes** are answered with an `error` frame whose `code` is one of HTTP's. Some end the connection: binary frames \
(1003), a broken protocol (1002), text that is no UTF-8 (1007), a message too large (1009), too many frames in a second, \
too many fragments of a message or silence (1008), not reading (1013); 1001 means that the server goes away: come back and resume. The server sends WebSocket pings; answering them, as \
every library does, is enough to stay connected.

New members and new frame types may appear: ignore those you do not know.";

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

/// One frame type.
pub struct Message {
    /// What its `type` says.
    pub kind: &'static str,
    pub sender: Sender,
    schema: fn() -> Vec<(String, RefOr<Schema>)>,
    pub example: fn(Date) -> Value,
}

/// Every frame type there is.
pub const MESSAGES: [Message; 8] = [
    Message { kind: "subscribe", sender: Sender::Client, schema: schemas::of::<Subscribe>, example: subscribe },
    Message { kind: "unsubscribe", sender: Sender::Client, schema: schemas::of::<Unsubscribe>, example: unsubscribe },
    Message { kind: "ping", sender: Sender::Client, schema: schemas::of::<Ping>, example: |_| json!({"type": "ping"}) },
    Message { kind: "snapshot", sender: Sender::Server, schema: schemas::of::<Snapshot>, example: snapshot },
    Message { kind: "change", sender: Sender::Server, schema: schemas::of::<Change>, example: change },
    Message { kind: "current", sender: Sender::Server, schema: schemas::of::<Current>, example: current },
    Message { kind: "error", sender: Sender::Server, schema: schemas::of::<Error>, example: error },
    Message { kind: "pong", sender: Sender::Server, schema: schemas::of::<Pong>, example: |_| json!({"type": "pong"}) },
];

/// The document, with examples that can be sent on `today`.
pub fn document(today: Date, options: &Options) -> Value {
    let mut components = Map::new();
    for message in &MESSAGES {
        for (name, schema) in (message.schema)() {
            components.insert(name, json!(schema));
        }
    }
    let messages: Map<String, Value> =
        MESSAGES.iter().map(|message| (message.kind.to_owned(), described(message, today))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "innkeeper live",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{INTRODUCTION}\n\n{}", limits(options)),
            "license": { "name": env!("CARGO_PKG_LICENSE") }
        },
        "defaultContentType": "application/json",
        "channels": { "live": { "address": "/v1/ws", "messages": messages } },
        "operations": {
            "watch": operation("receive", Sender::Client, "What clients send."),
            "tell": operation("send", Sender::Server, "What the server sends.")
        },
        "components": { "schemas": components }
    })
}

fn limits(options: &Options) -> String {
    let Options { connections, subscriptions, room_types, nights, frame_bytes, frames_per_sec, idle, .. } = options;
    format!(
        "**Limits of this server.** {connections} connections; on each {subscriptions} subscriptions and {room_types} \
         room types; {nights} nights a subscription; {frame_bytes} bytes and {FRAGMENTS} fragments a message; \
         {frames_per_sec} frames a second, pings and pongs included; {} seconds of silence.",
        idle.as_secs()
    )
}

fn described(message: &Message, today: Date) -> Value {
    // The last schema is the message's own, after those of its members.
    let name = (message.schema)().pop().map(|(name, _)| name).unwrap_or_default();
    let tag = json!({ "type": "object", "properties": { "type": { "const": message.kind } }, "required": ["type"] });
    json!({
        "name": message.kind,
        "payload": { "allOf": [tag, { "$ref": format!("#/components/schemas/{name}") }] },
        "examples": [{ "payload": (message.example)(today) }]
    })
}

fn operation(action: &str, sender: Sender, summary: &str) -> Value {
    let reference = |message: &Message| json!({ "$ref": format!("#/channels/live/messages/{}", message.kind) });
    let messages: Vec<Value> = MESSAGES.iter().filter(|message| message.sender == sender).map(reference).collect();
    json!({ "action": action, "summary": summary, "channel": { "$ref": "#/channels/live" }, "messages": messages })
}

fn subscribe(today: Date) -> Value {
    let room_type = example::ROOM_TYPE.to_string();
    json!({
        "type": "subscribe", "id": "fortnight", "room_type_ids": [room_type], "from": example::ahead(today, 30),
        "to": example::ahead(today, 44), "after": { room_type: 1 }
    })
}

fn unsubscribe(_: Date) -> Value {
    json!({ "type": "unsubscribe", "id": "fortnight" })
}

fn snapshot(today: Date) -> Value {
    json!({
        "type": "snapshot", "room_type_id": example::ROOM_TYPE, "sequence": 41, "from": example::ahead(today, 30),
        "currency": "EUR", "physical": [10, 10], "sold": [3, 4], "held": [1, 0], "free": [6, 6],
        "price_minor": [12_000, null]
    })
}

fn change(today: Date) -> Value {
    json!({
        "type": "change", "room_type_id": example::ROOM_TYPE, "sequence": 42, "from": example::ahead(today, 30),
        "sold": [4], "held": [1], "free": [5], "cause": "booked"
    })
}

fn current(_: Date) -> Value {
    json!({ "type": "current", "room_type_id": example::ROOM_TYPE, "sequence": 42 })
}

fn error(_: Date) -> Value {
    json!({
        "type": "error", "id": "fortnight", "code": "invalid_request", "status": 422,
        "detail": "/to must be after from (it is exclusive).",
        "errors": [{ "pointer": "/to", "rule": "to_after_from", "message": "must be after from (it is exclusive)" }]
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::frame::ServerFrame;
    use super::super::request;
    use super::*;

    fn paper() -> Value {
        document(example::DAY, &Options::default())
    }

    fn names(sender: Sender) -> BTreeSet<&'static str> {
        MESSAGES.iter().filter(|message| message.sender == sender).map(|message| message.kind).collect()
    }

    #[test]
    fn every_frame_of_the_server_is_in_the_table_and_reads_its_own_example() {
        for message in MESSAGES.iter().filter(|message| message.sender == Sender::Server) {
            let example = (message.example)(example::DAY);
            let frame: ServerFrame = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(&frame).unwrap(), example);
            // A frame type that is added to the code has to be added here, and so to the table.
            let name = match frame {
                ServerFrame::Snapshot(_) => "snapshot",
                ServerFrame::Change(_) => "change",
                ServerFrame::Current(_) => "current",
                ServerFrame::Error(_) => "error",
                ServerFrame::Pong(_) => "pong",
            };
            assert_eq!(name, message.kind);
        }
        assert_eq!(names(Sender::Server), BTreeSet::from(["snapshot", "change", "current", "error", "pong"]));
    }

    #[test]
    fn every_frame_of_a_client_is_understood() {
        for message in MESSAGES.iter().filter(|message| message.sender == Sender::Client) {
            let text = (message.example)(example::DAY).to_string();
            let name = match request::read(&text, &Options::default()).unwrap() {
                request::Request::Subscribe(_) => "subscribe",
                request::Request::Unsubscribe(_) => "unsubscribe",
                request::Request::Ping => "ping",
            };
            assert_eq!(name, message.kind);
        }
        assert_eq!(names(Sender::Client), BTreeSet::from(["subscribe", "unsubscribe", "ping"]));
    }

    #[test]
    fn examples_have_only_described_members_and_all_that_must_be_there() {
        let paper = paper();
        for message in &MESSAGES {
            let described = &paper["channels"]["live"]["messages"][message.kind];
            let schema = described["payload"]["allOf"][1]["$ref"].as_str().unwrap();
            let schema = paper.pointer(&schema[1..]).unwrap();
            let example = &described["examples"][0]["payload"];
            for member in example.as_object().unwrap().keys().filter(|member| *member != "type") {
                assert!(schema["properties"].get(member).is_some(), "{}: {member}", message.kind);
            }
            for member in schema["required"].as_array().into_iter().flatten() {
                assert!(example.get(member.as_str().unwrap()).is_some(), "{}: {member}", message.kind);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let paper = paper();
        let text = paper.to_string();
        let references: Vec<_> = text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > MESSAGES.len());
        for reference in references {
            assert!(paper.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
        }
    }
}

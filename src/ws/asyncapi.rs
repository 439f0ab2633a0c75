//! The AsyncAPI 3.0 document, built from the types of the frames.
//!
//! [`MESSAGES`] is the table of all frame types. Tests compare it with the code, and send its examples.

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::Options;
use super::frame::{Change, Current, Error, Ping, Pong, Snapshot, Subscribe, Unsubscribe};
use super::socket::decoder::FRAGMENTS;
use crate::domain::Date;
use crate::http::describe::{example, schemas};

const INTRODUCTION: &str = "Live inventory of room types. Connect to `/v1/ws` and send `subscribe`. For each room type the \
server sends a `snapshot`. Then it sends a `change` for every committed fact that touches the nights you watch, in the order \
of `sequence`, within milliseconds of the commit. Uncommitted states and guest data are never sent.

**State.** Keep one projection for each room type. A `snapshot` replaces all nights of the projection. A `change` replaces the \
nights that it contains. Both contain values, not differences. After a change of prices, capacity or restrictions, the \
server sends a new `snapshot`.

**Resuming.** Keep the last `sequence` of each room type, and send it as `after` when you reconnect. The server then sends the \
missed changes one by one, and `current` at the end. It sends a `snapshot` instead if the changes are too many or too old, or \
if midnight or the settings of the hotel have changed the nights on sale.

**Slow clients.** The server does not keep unread changes. It replaces them by a `snapshot` with `conflated`.

**Errors.** An invalid frame is answered with an `error` frame, whose `code` is a problem code of the HTTP API. Some errors \
close the connection: 1002 for a protocol error, 1003 for a binary frame, 1007 for text that is not UTF-8, 1009 for a message \
that is too large. 1008 means too many frames per second, too many fragments of a message, or no frame within the idle time. \
1013 means that the client reads too slowly. 1001 means that the server shuts down: reconnect and resume. The server sends \
WebSocket pings. A client that answers them, as every library does, stays connected.

**Compatibility.** New members and new frame types may be added. Ignore those that you do not know.";

/// The sender of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

/// One frame type.
pub struct Message {
    /// The value of its `type`.
    pub kind: &'static str,
    pub sender: Sender,
    schema: fn() -> Vec<(String, RefOr<Schema>)>,
    pub example: fn(Date) -> Value,
}

/// All frame types.
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
            "watch": operation("receive", Sender::Client, "Frames from the client."),
            "tell": operation("send", Sender::Server, "Frames from the server.")
        },
        "components": { "schemas": components }
    })
}

fn limits(options: &Options) -> String {
    let Options { connections, subscriptions, room_types, nights, frame_bytes, frames_per_sec, idle, .. } = options;
    format!(
        "**Limits of this server.** Connections: {connections}. Subscriptions of a connection: {subscriptions}. Room \
         types of a connection: {room_types}. Nights of a subscription: {nights}. Size of a message: {frame_bytes} \
         bytes and {FRAGMENTS} fragments. Frames per second, with pings and pongs: {frames_per_sec}. Time without a \
         frame: {} seconds.",
        idle.as_secs()
    )
}

fn described(message: &Message, today: Date) -> Value {
    // The last schema is that of the message. The schemas of its members come before it.
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

    fn the_document() -> Value {
        document(example::DAY, &Options::default())
    }

    fn names(sender: Sender) -> BTreeSet<&'static str> {
        MESSAGES.iter().filter(|message| message.sender == sender).map(|message| message.kind).collect()
    }

    #[test]
    fn every_server_frame_is_in_the_table_and_parses_its_example() {
        for message in MESSAGES.iter().filter(|message| message.sender == Sender::Server) {
            let example = (message.example)(example::DAY);
            let frame: ServerFrame = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(&frame).unwrap(), example);
            // A new frame type must be added here, and then to the table.
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
    fn the_server_accepts_every_client_frame_of_the_table() {
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
    fn examples_have_only_described_members_and_all_required_ones() {
        let document = the_document();
        for message in &MESSAGES {
            let described = &document["channels"]["live"]["messages"][message.kind];
            let schema = described["payload"]["allOf"][1]["$ref"].as_str().unwrap();
            let schema = document.pointer(&schema[1..]).unwrap();
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
    fn every_reference_is_resolved() {
        let document = the_document();
        let text = document.to_string();
        let references: Vec<_> = text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > MESSAGES.len());
        for reference in references {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} is not resolved");
        }
    }
}

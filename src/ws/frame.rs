//! The frames: JSON objects in text messages, with a `type`.
//!
//! [`super::asyncapi`] describes the protocol. Members may be added: clients ignore unknown members. The server refuses
//! unknown members of client frames.

use std::collections::BTreeMap;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Violation;
use crate::http::names::{EventCause, ProblemCode};
use crate::http::problem::Problem;
use crate::http::value::{Day, present};

/// The name that the client gives to a subscription: a text or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Id {
    Number(u64),
    Text(String),
}

/// Watches nights of room types. It replaces a subscription with the same `id`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
    pub id: Id,
    /// Watches all room types of this hotel, also later ones. Send either this or `room_type_ids`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub hotel_id: Option<Uuid>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub room_type_ids: Option<Vec<Uuid>>,
    /// The first night.
    #[schema(inline)]
    pub from: Day,
    /// The date after the last night.
    #[schema(inline)]
    pub to: Day,
    /// The last sequence number that the client has received, for each room type. A single number if there is one room
    /// type.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub after: Option<After>,
}

/// The last sequence numbers that the client has received.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum After {
    Sequence(u64),
    Sequences(BTreeMap<Uuid, u64>),
}

/// Ends a subscription. Frames that were sent before may still arrive.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
    pub id: Id,
}

/// Requests a `pong`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
}

/// A frame from the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Snapshot(Snapshot),
    Change(Change),
    Current(Current),
    Error(Error),
    Pong(Pong),
}

/// The state of the nights of one room type. Each array has one entry for each night, beginning with `from`. Nights
/// outside the booking horizon are absent. A snapshot replaces all known nights of the room type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    pub room_type_id: Uuid,
    /// The sequence number of this state.
    pub sequence: u64,
    #[schema(inline)]
    pub from: Day,
    pub currency: String,
    /// Physical rooms.
    pub physical: Vec<u16>,
    pub sold: Vec<u16>,
    pub held: Vec<u16>,
    /// Free rooms.
    pub free: Vec<u16>,
    /// The price of one room with the cheapest open rate plan. Null if the night is closed, even if rooms are free.
    pub price_minor: Vec<Option<i64>>,
    /// Whether this snapshot replaces changes that the client was too slow to receive. Absent if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflated: bool,
}

/// The change of one fact: the watched nights from the first to the last changed night, with their new values. After a
/// change of prices, capacity or restrictions the server sends a snapshot instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    pub room_type_id: Uuid,
    /// Grows from frame to frame. It has gaps for facts that do not touch the watched nights.
    pub sequence: u64,
    #[schema(inline)]
    pub from: Day,
    pub sold: Vec<u16>,
    pub held: Vec<u16>,
    pub free: Vec<u16>,
    #[schema(value_type = EventCause)]
    pub cause: String,
}

/// The end of a resume: the client has received every change of a room type up to `sequence`. Without a room type, the
/// subscription has no room types yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Current {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

/// An error. With an `id`, the server has refused or ended this subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Error {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Stable, the same as in problem documents. Clients branch on it.
    #[schema(value_type = ProblemCode)]
    pub code: String,
    /// The HTTP status of the code.
    pub status: u16,
    pub detail: String,
    /// The members that break a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
    /// Seconds after which the frame may be sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
}

/// A member that breaks a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    pub rule: String,
    pub message: String,
}

/// The answer to a `ping`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pong {}

impl Error {
    pub fn new(id: Option<Id>, problem: &Problem) -> Self {
        let mistake = |error: &Violation| Mistake {
            pointer: error.pointer.clone(),
            rule: error.rule.to_owned(),
            message: error.message.clone(),
        };
        Self {
            id,
            code: problem.code().name().to_owned(),
            status: problem.code().status().as_u16(),
            detail: problem.detail().to_owned(),
            errors: problem.errors().iter().map(mistake).collect(),
            retry_after: problem.retry_after(None),
        }
    }
}

// Not derived: the error of an untagged enum does not name the wrong member.
impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = After;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a sequence number, or an object of room types and sequence numbers")
            }

            fn visit_u64<E: de::Error>(self, sequence: u64) -> Result<After, E> {
                Ok(After::Sequence(sequence))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<After, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(After::Sequences)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

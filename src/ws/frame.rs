//! The frames, as they go over the wire: JSON objects in text messages, told apart by `type`.
//!
//! The protocol in words is in [`super::asyncapi`]. Members may be added; clients ignore those they do not know. What
//! clients send is read strictly.

use std::collections::BTreeMap;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Violation;
use crate::http::openapi::names::{EventCause, ProblemCode};
use crate::http::problem::Problem;
use crate::http::value::{Day, present};

/// The name a client gives to a subscription: text or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Id {
    Number(u64),
    Text(String),
}

/// Watches nights of room types. A subscription of the same name is replaced.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
    pub id: Id,
    /// All room types of this hotel, also those it gets later. Either this or `room_type_ids`.
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
    /// The last sequence number the client has seen: of each room type, or a number where there is one room type.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub after: Option<After>,
}

/// What a client has seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum After {
    Sequence(u64),
    Sequences(BTreeMap<Uuid, u64>),
}

/// Ends a subscription. Frames that are already under way may still come.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
    pub id: Id,
}

/// Asks for a `pong`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    #[serde(rename = "type")]
    #[schema(ignore)]
    pub kind: String,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Snapshot(Snapshot),
    Change(Change),
    Current(Current),
    Error(Error),
    Pong(Pong),
}

/// How the nights of one room type stand. The arrays have one entry per night, beginning with `from`; nights outside of
/// the booking horizon are left out. It replaces everything known about these nights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    pub room_type_id: Uuid,
    /// Facts behind this state.
    pub sequence: u64,
    #[schema(inline)]
    pub from: Day,
    pub currency: String,
    /// Rooms that exist.
    pub physical: Vec<u16>,
    pub sold: Vec<u16>,
    pub held: Vec<u16>,
    /// Rooms that can still be sold.
    pub free: Vec<u16>,
    /// Price of one room under the cheapest open plan; null where the night is closed, whatever is free.
    pub price_minor: Vec<Option<i64>>,
    /// The client was too slow: this stands for changes it was not told one by one. Left out when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflated: bool,
}

/// What one fact has changed: the nights from the first to the last that changed, as far as they are watched, with their
/// new values. Changes of prices, capacity or restrictions come as a snapshot instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    pub room_type_id: Uuid,
    /// Grows from frame to frame. Numbers are left out where a fact did not touch the nights that are watched.
    pub sequence: u64,
    #[schema(inline)]
    pub from: Day,
    pub sold: Vec<u16>,
    pub held: Vec<u16>,
    pub free: Vec<u16>,
    #[schema(value_type = EventCause)]
    pub cause: String,
}

/// The client has seen everything of a room type up to `sequence`: the end of a resume. Without a room type: the
/// subscription has none yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Current {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

/// Something was wrong. With an `id`: this subscription was refused, or has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Error {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Stable, the same as in HTTP's problem documents. Branch on this.
    #[schema(value_type = ProblemCode)]
    pub code: String,
    /// The HTTP status it would have had.
    pub status: u16,
    pub detail: String,
    /// Which members break which rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
    /// Seconds after which trying again makes sense.
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

// Written out, because an untagged enum forgets where in it a mistake is.
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

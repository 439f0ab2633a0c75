//! The feed of events, for integrations.

use serde::Deserialize;
use uuid::Uuid;

use super::{Client, Request};
use crate::domain::Timestamp;

/// A page of events.
#[derive(Debug, Clone, Deserialize)]
pub struct EventPage {
    pub items: Vec<Event>,
    /// Send it as [`Request::cursor`] to go on. Every page has one, an empty page too.
    pub next_cursor: String,
    /// Whether more events exist already. When false, ask again a little later.
    pub more: bool,
}

/// Something that happened. [`Request::reading`] reads the nights and prices that this type leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// Grows from event to event. It is also a cursor.
    pub position: u64,
    #[serde(default)]
    pub hotel_id: Option<Uuid>,
    #[serde(default)]
    pub room_type_id: Option<Uuid>,
    /// Grows by one from event to event of a room type.
    #[serde(default)]
    pub sequence: Option<u64>,
    pub at: Timestamp,
    /// Such as `booked` or `cancelled`.
    pub cause: String,
    #[serde(default)]
    pub booking_id: Option<Uuid>,
}

impl Client {
    /// Events in the order of their commits. Needs the administrator's token.
    pub fn events(&self) -> Request<'_, EventPage> {
        self.read("/v1/events".to_owned())
    }
}

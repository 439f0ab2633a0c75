//! The feed: the history that every commit leaves, and the list of hotels that have changed. A change of a hotel is no
//! fact and has no history.
//!
//! Called by `events/` and by `GET /v1/events`. A dashboard that reconnects reads what it missed; a node reads what
//! other nodes have committed. An event says what changed, never a guest or a contact. Housekeeping deletes old events.
//! The last event of each room type stays: `verify` can follow every history to its end, and a position is never given
//! twice.
//!
//! The table also holds facts of a hotel or of the installation, in the same order of positions. No reader needs them
//! yet: an [`Excerpt`] leaves them out, and a reader goes on after them. Nothing writes such facts yet.

use async_trait::async_trait;
use serde::Deserialize;

use super::Error;
use crate::domain::{BookingId, Change, HotelId, NightDelta, RoomTypeId, Step, StepEffect, Timestamp};

/// Bytes of stored events after which a portion ends. The event that reaches the limit is the last one, so a portion
/// always has an event.
pub const PORTION_BYTES: u32 = 512 * 1024;

/// Reading the history of room types.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// At most `limit` events of a room type after a sequence number, in order, and at most [`PORTION_BYTES`]. A gap
    /// before the first one means that older events have been deleted.
    async fn events_of(&self, room_type: RoomTypeId, after: u64, limit: u32) -> Result<Vec<Event>, Error>;

    /// When a room type reached a sequence number. `None`: the event does not exist, or has been deleted.
    async fn moment(&self, room_type: RoomTypeId, sequence: u64) -> Result<Option<Moment>, Error>;

    /// At most `limit` events of all room types after a position, in the order of their commits, and at most
    /// [`PORTION_BYTES`]. Without a position, the oldest stored events. Once a position has been read, no event ever
    /// appears before it. `None`: events after this position have been deleted.
    async fn events(&self, after: Option<u64>, limit: u32) -> Result<Option<Excerpt>, Error>;

    /// At most `limit` hotels whose own data, services or list of room types have changed after a position, ordered by
    /// their last change. Once a position has been read, no hotel ever appears before it.
    async fn changed_hotels(&self, after: u64, limit: u32) -> Result<Vec<ChangedHotel>, Error>;

    /// The current ends of both lists. Nothing ever appears before them.
    async fn end(&self) -> Result<End, Error>;

    /// Deletes events decided before `before`, oldest first, and looks at no more than `limit` events. Returns how many
    /// it looked at.
    async fn trim_events(&self, before: Timestamp, limit: u32) -> Result<u64, Error>;
}

/// When a room type reached a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// Whether the time zone, currency or horizon of the hotel has changed after the event. On PostgreSQL a change that
    /// began before the event and was committed after it counts as earlier.
    pub calendar_changed_since: bool,
}

/// Positions up to which the lists are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub event: u64,
    pub hotel: u64,
}

/// A hotel that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedHotel {
    /// Position of its last change among the changes of all hotels.
    pub position: u64,
    pub hotel: HotelId,
}

/// A part of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt {
    /// The events of room types in this part.
    pub events: Vec<Event>,
    /// Position of the last event of this part, of any scope. A reader goes on after it.
    pub last: Option<u64>,
    /// Whether there are more events after this part already.
    pub more: bool,
}

/// A fact of a room type, as the history stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position among the events of all scopes. It grows with every commit; numbers may be left out.
    pub position: u64,
    pub hotel: HotelId,
    pub room_type: RoomTypeId,
    /// Position in the history of the room type, without a gap.
    pub sequence: u64,
    pub at: Timestamp,
    pub cause: String,
    pub booking: Option<BookingId>,
    pub payload: Payload,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Payload {
    /// A booking: what it changed in the calendar.
    Booking { deltas: Vec<NightDelta> },
    /// Any other change, with its new values.
    Other(Change),
}

impl Event {
    /// The same step as that of the fact.
    pub fn step(&self) -> Step<'_> {
        Step { sequence: self.sequence, cause: &self.cause, effect: self.payload.step_effect() }
    }
}

impl Payload {
    pub fn step_effect(&self) -> StepEffect<'_> {
        match self {
            Self::Booking { deltas } => StepEffect::Counts(deltas),
            Self::Other(change) => change.step_effect(),
        }
    }
}

//! The feed: what has happened, read again from the history that every commit leaves, and which hotels have changed,
//! which is no fact and has no history.
//!
//! Called by `events/` (a dashboard that comes back asks what it missed, a node what the others have done) and by
//! `GET /v1/events`. An event says what changed, never whom it concerns. Old events are deleted by housekeeping; the last
//! one of each room type stays, so that `verify` can still follow every history to its end, and a position is never given
//! twice.
//!
//! The table also holds facts of a hotel or of the installation, in the same order of positions. No reader needs them yet:
//! an [`Excerpt`] leaves them out, and goes on after them. Nothing writes them yet either.

use async_trait::async_trait;
use serde::Deserialize;

use super::Error;
use crate::domain::{BookingId, Change, HotelId, NightDelta, RoomTypeId, Step, StepEffect, Timestamp};

/// Bytes of stored events after which a portion ends: it is the event that reaches them that is the last. So a portion
/// has one event at least, however large.
pub const PORTION_BYTES: u32 = 512 * 1024;

/// Reading the history of room types.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// At most `limit` events of a room type after a sequence number, in order. The first may be a later one than the
    /// next: those before it have been deleted. Fewer come where they are more than [`PORTION_BYTES`].
    async fn events_of(&self, room_type: RoomTypeId, after: u64, limit: u32) -> Result<Vec<Event>, Error>;

    /// When a room type reached a sequence number. `None`: that event has been deleted, or there is none.
    async fn moment(&self, room_type: RoomTypeId, sequence: u64) -> Result<Option<Moment>, Error>;

    /// At most `limit` events of all room types, in the order of their commits, after a position; without one, from the
    /// oldest that is kept. Once a position has been read, nothing ever appears before it. `None`: some after this
    /// position have been deleted. Fewer than `limit` come where they are more than [`PORTION_BYTES`].
    async fn events(&self, after: Option<u64>, limit: u32) -> Result<Option<Excerpt>, Error>;

    /// At most `limit` hotels whose own data, services or list of room types has changed after a position, in the order
    /// of the last change of each. Once a position has been read, nothing ever appears before it.
    async fn changed_hotels(&self, after: u64, limit: u32) -> Result<Vec<ChangedHotel>, Error>;

    /// Where both end now: nothing ever appears before it.
    async fn end(&self) -> Result<End, Error>;

    /// Deletes events decided before `before`, oldest first, looking at no more than `limit`; how many it looked at.
    async fn trim_events(&self, before: Timestamp, limit: u32) -> Result<u64, Error>;
}

/// When a room type reached a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// Whether the hotel's time zone, currency or horizon has changed after it. On PostgreSQL a change that began before
    /// the event and was committed after it counts as earlier.
    pub calendar_changed_since: bool,
}

/// Positions up to which everything is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub event: u64,
    pub hotel: u64,
}

/// A hotel that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedHotel {
    /// Where its last change stands among the changes of all hotels.
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

/// One fact of a room type, as the history tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where it stands among the events of all room types. Grows with every commit; numbers may be left out.
    pub position: u64,
    pub hotel: HotelId,
    pub room_type: RoomTypeId,
    /// Where it stands in the history of its room type, without a gap.
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
    /// A booking, told by what it did to the calendar.
    Booking { deltas: Vec<NightDelta> },
    /// Anything else, with its new values.
    Other(Change),
}

impl Event {
    /// The same as the fact's.
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

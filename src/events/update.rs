//! What a subscriber receives, independent of any wire format.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::domain::{Amount, Currency, Date, RoomTypeId};

/// The nights [from, to) that a subscriber watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    pub from: Date,
    pub to: Date,
}

impl Window {
    /// The nights in both windows.
    pub fn cut(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }
}

/// One update.
#[derive(Debug, Clone)]
pub enum Update {
    /// The current state.
    Snapshot(Arc<EncodedOnce<Snapshot>>),
    /// The change of one fact after the previous update.
    Change(Arc<EncodedOnce<Change>>),
    /// With the previous updates, the subscriber has seen everything up to `sequence`.
    Current { room_type: RoomTypeId, sequence: u64 },
}

/// The nights of a window that lie inside the horizon.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub room_type: RoomTypeId,
    pub currency: Currency,
    /// The sequence number of the last fact in it.
    pub sequence: u64,
    /// The date of the first night.
    pub from: Date,
    pub nights: Vec<ShownNight>,
    /// The subscriber was too slow. This snapshot replaces changes that it did not get one by one.
    pub conflated: bool,
}

/// One night of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownNight {
    pub physical: u16,
    pub counts: Counts,
    /// Of one room under the cheapest open plan; `None` when the night is closed.
    pub price: Option<Amount>,
}

/// The counters of a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub sold: u16,
    pub held: u16,
    pub free: u16,
}

/// The nights that one booking changed, from the first to the last of them, as they are now.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub room_type: RoomTypeId,
    pub sequence: u64,
    pub from: Date,
    pub nights: Vec<Counts>,
    pub cause: String,
}

/// A value for many subscribers that is encoded only once.
#[derive(Debug)]
pub struct EncodedOnce<T> {
    value: T,
    encoded: OnceLock<Bytes>,
}

impl<T> EncodedOnce<T> {
    pub fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value, encoded: OnceLock::new() })
    }

    pub fn value(&self) -> &T {
        &self.value
    }

    /// The encoding, made by the first caller and shared by all. Every caller must encode alike.
    pub fn encoded(&self, encode: impl FnOnce(&T) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(&self.value)).clone()
    }
}

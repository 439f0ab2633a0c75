//! What a subscriber is told, free of any wire format.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::domain::{Amount, Currency, Date, RoomTypeId};

/// The nights [from, to) that somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    pub from: Date,
    pub to: Date,
}

impl Window {
    /// The nights that lie in both.
    pub fn cut(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }
}

/// One thing to tell.
#[derive(Debug, Clone)]
pub enum Update {
    /// How things stand.
    Snapshot(Arc<Shared<Snapshot>>),
    /// What one fact has changed since what was told before.
    Change(Arc<Shared<Change>>),
    /// With what was told before, the subscriber has seen everything up to `sequence`.
    Current { room_type: RoomTypeId, sequence: u64 },
}

/// The nights of a window that lie inside the horizon.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub room_type: RoomTypeId,
    pub currency: Currency,
    /// Facts behind it.
    pub sequence: u64,
    /// The date of the first night.
    pub from: Date,
    pub nights: Vec<Shown>,
    /// The subscriber was too slow: this stands for changes that it was not told one by one.
    pub conflated: bool,
}

/// One night of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub physical: u16,
    pub counts: Counts,
    /// Of one room under the cheapest open plan; `None` when the night is closed.
    pub price: Option<Amount>,
}

/// What bookings have made of a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub sold: u16,
    pub held: u16,
    pub free: u16,
}

/// The nights one booking has changed: from the first to the last of them, as they are now.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub room_type: RoomTypeId,
    pub sequence: u64,
    pub from: Date,
    pub nights: Vec<Counts>,
    pub cause: String,
}

/// Something told to many, and encoded only once.
#[derive(Debug)]
pub struct Shared<T> {
    told: T,
    encoded: OnceLock<Bytes>,
}

impl<T> Shared<T> {
    pub fn new(told: T) -> Arc<Self> {
        Arc::new(Self { told, encoded: OnceLock::new() })
    }

    pub fn told(&self) -> &T {
        &self.told
    }

    /// Its encoding: made by the first caller, shared by all. Every caller must encode alike.
    pub fn encoded(&self, encode: impl FnOnce(&T) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(&self.told)).clone()
    }
}

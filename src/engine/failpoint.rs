//! Failpoints: named points inside an actor where a test can observe it or make it panic.

use crate::domain::RoomTypeId;

/// A point in an actor's work on a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failpoint {
    /// The actor has taken the command from its mailbox.
    Received,
    /// The fact is decided. Memory is unchanged.
    Decided,
    /// Memory has changed. The writer does not have the fact yet.
    Applied,
    /// The writer has the fact.
    Submitted,
    /// The room type is loaded. The actor begins to serve.
    Loaded,
}

/// Receives every failpoint that an actor passes. It may panic, to simulate a failure.
pub trait Failpoints: Send + Sync + 'static {
    fn passed(&self, point: Failpoint, room_type: RoomTypeId);
}

/// No failpoints, for production.
#[derive(Debug, Clone, Copy)]
pub struct NoFailpoints;

impl Failpoints for NoFailpoints {
    fn passed(&self, _: Failpoint, _: RoomTypeId) {}
}

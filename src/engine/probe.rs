//! Named points inside an actor at which a test can look, or make it panic.

use crate::domain::RoomTypeId;

/// Where an actor is in its work on a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// The command was taken from the mailbox.
    Received,
    /// The fact was decided, memory is unchanged.
    Decided,
    /// Memory has changed, the writer knows nothing yet.
    Applied,
    /// The writer has the fact.
    Submitted,
    /// The calendar was loaded; the actor begins to serve.
    Loaded,
}

/// Is told when an actor passes a point. May panic: that is what it is for.
pub trait Probe: Send + Sync + 'static {
    fn passed(&self, point: Point, room_type: RoomTypeId);
}

/// Production: nobody looks.
#[derive(Debug, Clone, Copy)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn passed(&self, _: Point, _: RoomTypeId) {}
}

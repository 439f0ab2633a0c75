//! Named points inside an actor at which a test can look, or make it panic.

use crate::domain::RoomTypeId;

/// Where an actor is in its work on a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failpoint {
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
pub trait Failpoints: Send + Sync + 'static {
    fn passed(&self, point: Failpoint, room_type: RoomTypeId);
}

/// Production: nobody looks.
#[derive(Debug, Clone, Copy)]
pub struct NoFailpoints;

impl Failpoints for NoFailpoints {
    fn passed(&self, _: Failpoint, _: RoomTypeId) {}
}

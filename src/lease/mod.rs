//! Leases: who may own a room type, and the fencing token that proves it.
//!
//! Owns nothing but the permission. Called by the engine before an actor loads its calendar and when it gives a room
//! type back. It never decides about bookings, and it is not what keeps them safe: the store checks the token in every
//! commit, so a lease that was granted twice costs time, never a room.
//!
//! Invariant: tokens of one room type only ever grow.

pub mod single_node;

use async_trait::async_trait;

use crate::domain::RoomTypeId;

pub use single_node::SingleNode;

/// A fencing token: the number of an ownership. The store accepts only the highest it has been shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub i64);

/// Grants the ownership of room types.
#[async_trait]
pub trait Lease: Send + Sync + 'static {
    /// Asks to own a room type. The token is higher than every one granted before, as far as this lease remembers.
    async fn acquire(&self, room_type: RoomTypeId) -> Result<Token, Unavailable>;

    /// The store has seen `seen`, which is not lower than what was granted: continue above it.
    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable>;

    /// Gives a room type back.
    async fn release(&self, room_type: RoomTypeId, token: Token);
}

/// Nobody could say who owns the room type.
#[derive(Debug, thiserror::Error)]
#[error("no lease could be had")]
pub struct Unavailable(#[source] pub anyhow::Error);

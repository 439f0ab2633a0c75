//! Leases: which node owns a room type, and the fencing token that proves it.
//!
//! Owns the permission only. The engine calls [`Lease`] before an actor loads its calendar, and when it releases a room type.
//! Operators call [`Membership`]. This module never decides about bookings, and their safety does not depend on it. The
//! store checks the token in every commit, so a lease that was granted twice costs time, never a room.
//!
//! Invariant: the tokens of a room type grow. If Redis has lost them, the store refuses a token that is too low, and
//! [`Lease::raise`] continues above the store's token.
//!
//! Failure: while no lease can be granted, owners continue (the token protects them). Other room types answer
//! [`Unavailable`].
//!
//! An ownership is *certain* while no other node can have been granted the room type, by the answers of Redis and this
//! machine's monotonic clock ([`Lease::is_certain`]). An owner that is not certain may have been replaced. It asks the
//! store before it answers from memory ([`crate::engine`]).
//!
//! Limits of certainty: a Redis that lost its data, or whose clock was set forward, can grant a room type twice. A machine
//! whose monotonic clock stopped in a suspension keeps a lease too long. Two processes with one node name share a lease.
//! Such an owner is certain and wrong until a renewal, or the events of the store, show it.
//!
//! To add a kind of lease: implement both traits in a new folder, and choose it in `app.rs`.

mod holdings;
pub mod node_tokens;
mod outsider;
mod placement;
pub mod redis;
pub mod single_node;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{RoomTypeId, Timestamp};

pub use self::redis::RedisLease;
pub use holdings::Holding;
pub use outsider::Outsider;
pub use placement::preferred;
pub use single_node::SingleNode;

/// A fencing token: the number of an ownership. The store accepts only the highest token that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub i64);

/// The name of a node: 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

/// A node, and the URL at which other nodes reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub node: NodeId,
    pub url: Arc<str>,
}

/// How a request for a room type reached this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asked {
    /// From a client. A free room type goes to the node that placement prefers.
    #[default]
    Here,
    /// Forwarded by another node, which took this one for the owner. A free room type goes to this node.
    Forwarded,
}

/// The answer to an acquire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    Granted(Token),
    /// That node owns the room type, or is preferred for it.
    Elsewhere(Peer),
}

/// An ownership that this node must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub room_type: RoomTypeId,
    pub token: Token,
    pub why: Why,
}

/// Why an ownership must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Another node owns the room type already: the memory of this one is out of date.
    Lost,
    /// Placement prefers another node: finish requests in progress, then release it.
    Misplaced,
    /// This node cannot reach the store: requests in progress cannot be finished.
    CutOff,
}

/// Grants the ownership of room types.
#[async_trait]
pub trait Lease: Send + Sync + 'static {
    /// Asks to own a room type. The token is higher than all that Redis remembers. The caller has no actor for the room
    /// type, so an earlier ownership of this node ends.
    async fn acquire(&self, room_type: RoomTypeId, asked: Asked) -> Result<Acquired, Unavailable>;

    /// Continues above `seen`, a token of the store that is not lower than the granted one.
    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable>;

    /// Whether no other node can have been granted the room type since this token. The caller asks after its decision.
    fn is_certain(&self, room_type: RoomTypeId, token: Token) -> bool;

    /// Releases a room type, unless it was granted anew. Does not wait for Redis, where the lease ends by itself.
    fn release(&self, room_type: RoomTypeId, token: Token);

    /// Deletes every trace of a room type that does not exist.
    fn forget(&self, room_type: RoomTypeId, token: Token);

    /// Whether this node would be granted the room type if it were free, without asking Redis.
    fn belongs_here(&self, room_type: RoomTypeId) -> bool;

    /// The node that owned the room type a moment ago. If that has changed, that node answers so.
    fn last_found(&self, room_type: RoomTypeId) -> Option<Peer>;

    /// Waits for ownerships that must end. For one caller.
    async fn revoked(&self) -> Vec<Revoked>;
}

/// The nodes that share the room types, and this node's part.
#[async_trait]
pub trait Membership: Send + Sync + 'static {
    fn me(&self) -> &Peer;

    /// Whether this node can take over room types, without asking Redis; the error says why not.
    fn may_own(&self) -> Result<(), Unavailable>;

    /// Every live node, by name.
    async fn nodes(&self) -> Result<Vec<Node>, Unavailable>;

    /// At most `limit` of the room types that this node owns, by id, after `after`.
    fn holdings(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding>;

    /// Whether a node counts as alive, without asking Redis. Without information it does, because its room types cannot
    /// have been taken over.
    fn lives(&self, node: &NodeId) -> bool;

    /// Whether this node cannot reach the store.
    fn is_cut_off(&self) -> bool;

    /// A live node that reaches the store, without asking Redis, for requests that this node cannot serve.
    fn stand_in(&self) -> Option<Peer>;

    /// Announces this node. Peers may forward to it, so HTTP must already serve. If Redis does not answer, the next heartbeat
    /// announces it.
    async fn join(&self);

    /// Announces that this node drains: other nodes are preferred for every room type.
    async fn drain(&self);

    /// Waits until the other nodes have read that this node drains.
    async fn known_to_drain(&self);

    /// Leaves the cluster: finishes the releases, and deletes this node's announcement.
    async fn leave(&self);
}

/// A node as its announcement shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub peer: Peer,
    /// When the node started.
    pub since: Timestamp,
    /// Age of its last heartbeat.
    pub silent_for: std::time::Duration,
    pub draining: bool,
    /// The node cannot reach the store: other nodes are preferred.
    pub cut_off: bool,
    /// Room types that the node owned at its last heartbeat.
    pub owned: usize,
}

/// Why no lease is granted.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The owner is unknown: Redis does not answer, or names a node without a valid announcement.
    #[error("no lease was granted: {0}")]
    Unanswered(#[source] anyhow::Error),
    /// This node may own nothing.
    #[error("this node is no member of its cluster: {0}")]
    Outsider(Outsider),
}

impl From<crate::redis::Error> for Unavailable {
    fn from(error: crate::redis::Error) -> Self {
        Self::Unanswered(error.into())
    }
}

impl NodeId {
    /// The name of a node without a cluster.
    pub fn single() -> Self {
        Self("single".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.into())).ok_or(())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

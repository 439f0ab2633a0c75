//! Leases: who may own a room type, and the fencing token that proves it.
//!
//! Owns nothing but the permission. Called by the engine through [`Lease`], before an actor loads its calendar and when
//! it gives a room type back, and by operators through [`Membership`]. It never decides about bookings, and it is not
//! what keeps them safe: the store checks the token in every commit, so a lease that was granted twice costs time, never
//! a room.
//!
//! Invariant: tokens of one room type grow, as far as whoever grants them remembers. Where it has forgotten, the store
//! says so, and [`Lease::raise`] goes on above what the store has seen.
//!
//! When leases cannot be had, what is owned goes on (the token protects it) and what is not answers [`Unavailable`].
//!
//! An ownership is *certain* while nobody else can have been granted the room type, by the word of whoever grants and this
//! machine's monotonic clock ([`Lease::is_certain`]). An owner that is not certain may have been replaced without a
//! word, and asks the store before it says what only memory says ([`crate::engine`]).
//! Limits: where Redis has forgotten, or its clock was set forward, it grants what another node is certain of, or takes the
//! word of one that was replaced; so it is with a machine whose monotonic clock stood still while it was suspended, and with
//! two processes that go by one name. Such an owner is certain and wrong until a renewal, or the history of the store,
//! tells it.
//!
//! To add a way of granting: implement both traits in a folder of its own, and choose it in `app.rs`.

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

/// A fencing token: the number of an ownership. The store accepts only the highest it has been shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub i64);

/// The name of a node: 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

/// A node, and the address at which the others reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub node: NodeId,
    pub url: Arc<str>,
}

/// Where a request for a room type came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asked {
    /// Here: if nobody owns the room type, the node that placement prefers is to have it.
    #[default]
    Here,
    /// At another node, which took this one for the owner: if nobody owns the room type, this one is to have it.
    Forwarded,
}

/// The answer to somebody who wants to own a room type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    Granted(Token),
    /// That node owns it, or is to.
    Elsewhere(Peer),
}

/// An ownership that this node has not given back, but is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub room_type: RoomTypeId,
    pub token: Token,
    pub why: Why,
}

/// Why an ownership is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody else owns the room type already: what is in memory is an old story.
    Lost,
    /// Another node is to have it: finish what was begun, then give it back.
    Misplaced,
    /// Another node is to have it, because this one cannot reach the store: what was begun cannot be finished.
    CutOff,
}

/// Grants the ownership of room types.
#[async_trait]
pub trait Lease: Send + Sync + 'static {
    /// Asks to own a room type. A token is higher than every one granted before, as far as is remembered. Whoever asks
    /// has no living actor for the room type: an ownership that this node still had is over.
    async fn acquire(&self, room_type: RoomTypeId, asked: Asked) -> Result<Acquired, Unavailable>;

    /// The store has seen `seen`, which is not lower than what was granted: continue above it.
    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable>;

    /// Whether nobody else can have been granted the room type since this token was, as far as whoever grants remembers.
    /// Whoever acts on it asks after what it has decided.
    fn is_certain(&self, room_type: RoomTypeId, token: Token) -> bool;

    /// Gives a room type back, unless it has been granted anew. Does not wait for whoever keeps the leases: one that
    /// cannot be reached forgets them by itself.
    fn release(&self, room_type: RoomTypeId, token: Token);

    /// There is no such room type: nothing is to be kept of it.
    fn forget(&self, room_type: RoomTypeId, token: Token);

    /// Whether this node would be granted the room type, were it free: as far as it knows, without asking.
    fn belongs_here(&self, room_type: RoomTypeId) -> bool;

    /// The node that was found to own the room type a moment ago. Where that is no longer so, it says so itself.
    fn last_found(&self, room_type: RoomTypeId) -> Option<Peer>;

    /// Waits until ownerships are to end, and says which. For one listener.
    async fn revoked(&self) -> Vec<Revoked>;
}

/// The nodes that share the room types, and this node's part.
#[async_trait]
pub trait Membership: Send + Sync + 'static {
    fn me(&self) -> &Peer;

    /// Whether this node can take over room types, as far as it knows without asking; else why not.
    fn may_own(&self) -> Result<(), Unavailable>;

    /// Every node that lives, by name.
    async fn nodes(&self) -> Result<Vec<Node>, Unavailable>;

    /// At most `limit` of the room types that this node owns, by id, after `after`.
    fn holdings(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding>;

    /// Whether a node counts as living, as far as is known without asking. Where nothing is known, it does: its room types
    /// cannot have been taken over.
    fn lives(&self, node: &NodeId) -> bool;

    /// Whether this node takes itself for one that cannot reach the store.
    fn is_cut_off(&self) -> bool;

    /// A node that lives and reaches the store, as far as is known without asking: for requests that this one cannot do.
    fn stand_in(&self) -> Option<Peer>;

    /// Comes: from now on the others send here what is to be done here, so requests must be answered already. One that
    /// cannot tell them now does so as soon as it can.
    async fn join(&self);

    /// From now on the others are to have every room type, if there are others; when it returns, they have been told.
    async fn drain(&self);

    /// Waits until the others know by themselves that this node drains.
    async fn known_to_drain(&self);

    /// Goes: what was released is given back, and the others no longer know this node.
    async fn leave(&self);
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub peer: Peer,
    /// When it started.
    pub since: Timestamp,
    /// How long ago it was last heard of.
    pub silent_for: std::time::Duration,
    pub draining: bool,
    /// It cannot reach the store: the others are to have everything.
    pub cut_off: bool,
    /// Room types that it owned at that time.
    pub owned: usize,
}

/// Why no lease can be had.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Nobody could say who owns the room type: Redis cannot be asked, or its answer leads nowhere.
    #[error("no lease can be had: {0}")]
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
    /// The name of a node that has no others.
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

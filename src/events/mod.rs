//! Events: committed changes, published to followers inside this process.
//!
//! **What it owns.** The [`Hub`], the one place where committed facts leave the write path.
//!
//! **Who calls it.** The writer publishes every commit, in order, before any caller is answered. The engine publishes
//! changes of hotels. On a cluster, [`tail`] adds what other nodes committed: it reads the history in the store after a
//! [`wake`]-up, or a moment later. Dashboards and the search index listen.
//!
//! **What it never does.** It decides nothing, waits for no listener, and publishes nothing that is not durable.
//!
//! # Invariants
//!
//! A listener receives the steps of a room type in order of their sequence numbers, with two exceptions. A step may come
//! twice. A step may come late: after an unknown outcome was resolved, or when another node committed it. So a listener
//! follows the step protocol ([`crate::domain::step`]): it ignores known steps, and after a gap it reads the store.
//!
//! # Limits
//!
//! [`hub::BACKLOG`] notices wait for the slowest listener. A listener that falls further behind learns how many it missed
//! and reads the store.
//!
//! # Dashboards
//!
//! [`live`] keeps a projection of every watched room type. Each [`Subscriber`] gets a snapshot and then every change
//! without a gap. No subscriber can delay another one.

pub mod hub;
pub mod live;
pub mod mailbox;
mod pending_steps;
mod projection;
pub mod subscriber;
pub mod tail;
pub mod topic;
pub mod update;
pub mod wake;

pub use hub::{BACKLOG, Hub, Listener, Notice, Received};
pub use live::Live;
pub use mailbox::News;
pub use subscriber::Subscriber;
pub use tail::Tail;
pub use update::{Update, Window};
pub use wake::Wake;

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::store::{self, Feed, Journal};

/// Where dashboards read what they have not received.
#[derive(Clone)]
pub struct Sources {
    pub journal: Arc<dyn Journal>,
    pub feed: Arc<dyn Feed>,
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// Why a room type cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such room type")]
    NoSuchRoomType,
    /// The limit of watched room types is reached.
    #[error("too many room types are watched")]
    Full,
    /// It changed faster than it could be read.
    #[error("the room type changes faster than it can be read")]
    ChangesTooFast,
    #[error(transparent)]
    Store(#[from] store::Error),
}

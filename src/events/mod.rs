//! Events: what has become true, told to whoever follows it inside this process.
//!
//! Owns the one place where committed facts leave the write path, the [`Hub`]. The writer publishes every commit, in
//! order, before anybody is answered; the engine publishes changes of hotels; where there are other nodes, [`tail`] adds
//! what the store's history tells of them, after a [`wake`] or a moment later. Dashboards and the search index listen.
//! It never decides, never waits for a listener, and never tells what is not durable.
//!
//! Invariant: a listener sees the steps of a room type in order of their sequence, some of them more than once. A commit
//! in doubt is published late, when the store has said that it happened, or never, and what another node committed may
//! come after what this one has committed since; so a listener watches the sequence: where it jumps, the store has the
//! rest, and what it has heard of before is nothing new.
//! Limit: [`hub::BACKLOG`] notices wait for the slowest listener; one that falls further behind is told that it lagged,
//! and reads the store.
//!
//! [`live`] is the follower for dashboards: it keeps a projection of every watched room type and tells each [`Subscriber`]
//! how things stand and then every change, without a gap and without waiting for any of them.

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

pub use hub::{BACKLOG, Heard, Hub, Listener, Notice};
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

/// Where dashboards learn what they have not heard.
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
    /// As many room types are watched as may be.
    #[error("too many room types are watched")]
    Full,
    /// It changed so fast that it could not be read.
    #[error("the room type does not stand still")]
    Unsettled,
    #[error(transparent)]
    Store(#[from] store::Error),
}

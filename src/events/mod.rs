//! Events: what has become true, told to whoever follows it inside this process.
//!
//! Owns the one place where committed facts leave the write path. The writer publishes every commit, in order, before
//! anybody is answered; the engine publishes changes of hotels. Dashboards and the search index listen. It never
//! decides, never waits for a listener, and never tells what is not durable.
//!
//! Invariant: a listener sees the facts of a room type in order of their sequence. A commit in doubt is published late,
//! when the store has said that it happened, or never; so a listener watches the sequence: where it jumps, the store has
//! the rest, and what it has heard of before comes too late.
//! Limit: [`BACKLOG`] notices wait for the slowest listener; one that falls further behind is told that it lagged, and
//! reads the store.
//!
//! [`live`] is the follower for dashboards: it keeps a picture of every watched room type and tells each [`Subscriber`]
//! how things stand and then every change, without a gap and without waiting for any of them.

pub mod live;
pub mod mailbox;
mod picture;
pub mod subscriber;
pub mod topic;
pub mod update;

pub use live::Live;
pub use mailbox::News;
pub use subscriber::Subscriber;
pub use update::{Update, Window};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::clock::Clock;
use crate::domain::{Fact, HotelId, RoomTypeId};
use crate::store::{self, Feed, Ledger};

/// Notices that may wait for a listener.
pub const BACKLOG: usize = 4_096;

/// Something that is true now.
#[derive(Debug, Clone)]
pub enum Notice {
    /// These facts were committed together, each with its room type.
    Committed(Arc<[(RoomTypeId, Arc<Fact>)]>),
    /// A hotel, its services or the list of its room types has changed.
    Hotel(HotelId),
}

/// Where notices are published. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<(u64, Notice)>,
    /// How many notices were ever published; held while one is, so that they are sent in the order of their numbers.
    published: Arc<Mutex<u64>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, published: Arc::default() }
    }
}

impl Hub {
    /// Tells everybody who listens. Nobody is waited for.
    pub fn publish(&self, notice: Notice) {
        let mut published = self.published();
        *published += 1;
        // An error means that nobody listens.
        let _ = self.sender.send((*published, notice));
    }

    /// Everything published from now on.
    pub fn listen(&self) -> Listener {
        let published = self.published();
        Listener { receiver: self.sender.subscribe(), position: *published }
    }

    /// The number of the last notice. Who has heard it knows everything that anybody was answered before now.
    pub fn position(&self) -> u64 {
        *self.published()
    }

    pub fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    fn published(&self) -> MutexGuard<'_, u64> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One follower of the hub.
#[derive(Debug)]
pub struct Listener {
    receiver: broadcast::Receiver<(u64, Notice)>,
    position: u64,
}

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum Heard {
    Notice(Notice),
    /// So many notices were missed: whatever was derived from them must be read from the store again.
    Lagged(u64),
    /// The engine has ended.
    Closed,
}

impl Listener {
    pub async fn next(&mut self) -> Heard {
        match self.receiver.recv().await {
            Ok((number, notice)) => {
                self.position = number;
                Heard::Notice(notice)
            }
            Err(RecvError::Lagged(missed)) => {
                self.position += missed;
                Heard::Lagged(missed)
            }
            Err(RecvError::Closed) => Heard::Closed,
        }
    }

    /// The number of the last notice heard or missed.
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// Where dashboards learn what they have not heard.
#[derive(Clone)]
pub struct Sources {
    pub ledger: Arc<dyn Ledger>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_falls_behind_is_told_so() {
        let hub = Hub::default();
        let mut listener = hub.listen();
        for _ in 0..=BACKLOG {
            hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        }
        assert!(matches!(listener.next().await, Heard::Lagged(1)));
        assert_eq!(listener.position(), 1);
        assert!(matches!(listener.next().await, Heard::Notice(_)));
        assert_eq!(listener.position(), 2);
    }

    #[tokio::test]
    async fn a_listener_knows_whether_it_has_heard_everything() {
        let hub = Hub::default();
        hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        let mut listener = hub.listen();
        assert_eq!(listener.position(), hub.position());
        hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        assert!(listener.position() < hub.position());
        listener.next().await;
        assert_eq!(listener.position(), hub.position());
    }

    #[tokio::test]
    async fn nobody_has_to_listen() {
        let hub = Hub::default();
        hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        assert!(!hub.has_listeners());
    }
}

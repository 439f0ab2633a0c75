//! The hub: publishes what has happened to every listener in this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::domain::{Fact, HotelId, RoomTypeId, Step};
use crate::store::feed::Event;

/// Notices that can wait for a listener. A listener that falls further behind misses the oldest.
pub const BACKLOG: usize = 4_096;

/// Something that has happened and is durable.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Facts that were committed together on this node, each with its room type.
    Committed(Arc<[(RoomTypeId, Arc<Fact>)]>),
    /// The next events of the history, from any node.
    History(Arc<[Event]>),
    /// A hotel, its services or its list of room types has changed.
    Hotel(HotelId),
    /// A part of the history was lost. Listeners must read derived data from the store again.
    Lost,
}

impl Notice {
    /// The steps in this notice, each with its room type.
    pub fn steps(&self) -> impl Iterator<Item = (RoomTypeId, Step<'_>)> {
        let (facts, events): (&[_], &[_]) = match self {
            Self::Committed(facts) => (facts, &[]),
            Self::History(events) => (&[], events),
            Self::Hotel(_) | Self::Lost => (&[], &[]),
        };
        let facts = facts.iter().map(|(room_type, fact)| (*room_type, fact.step()));
        facts.chain(events.iter().map(|event| (event.room_type, event.step())))
    }
}

/// Publishes notices to listeners. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<(u64, Notice)>,
    /// The number of notices published so far. The lock is held while one is sent, so that they are sent in the order
    /// of their numbers.
    published: Arc<Mutex<u64>>,
    /// Notified when something has happened on this node that other nodes do not know yet.
    news: Arc<Notify>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, published: Arc::default(), news: Arc::default() }
    }
}

impl Hub {
    /// Publishes what happened on this node. Does not wait for listeners.
    pub fn publish(&self, notice: Notice) {
        self.relay(notice);
        self.news.notify_one();
    }

    /// Publishes what happened on another node. Does not wait for listeners.
    pub fn relay(&self, notice: Notice) {
        let mut published = self.published();
        *published += 1;
        // An error means that there are no listeners.
        let _ = self.sender.send((*published, notice));
    }

    /// A listener for everything that is published from now on.
    pub fn listen(&self) -> Listener {
        let published = self.published();
        Listener { receiver: self.sender.subscribe(), position: *published }
    }

    /// The number of the last notice. Every answer that was sent before now depends on notices up to this one only.
    pub fn position(&self) -> u64 {
        *self.published()
    }

    pub fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Waits until something was published on this node since the last wait. For one waiting task only.
    pub async fn has_news(&self) {
        self.news.notified().await;
    }

    fn published(&self) -> MutexGuard<'_, u64> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives the notices of the hub.
#[derive(Debug)]
pub struct Listener {
    receiver: broadcast::Receiver<(u64, Notice)>,
    position: u64,
}

/// What a listener receives.
#[derive(Debug, Clone)]
pub enum Received {
    Notice(Notice),
    /// This many notices were missed. Derived data must be read from the store again.
    Lagged(u64),
    /// The engine has ended.
    Closed,
}

impl Listener {
    pub async fn next(&mut self) -> Received {
        match self.receiver.recv().await {
            Ok((number, notice)) => {
                self.position = number;
                Received::Notice(notice)
            }
            Err(RecvError::Lagged(missed)) => {
                self.position += missed;
                Received::Lagged(missed)
            }
            Err(RecvError::Closed) => Received::Closed,
        }
    }

    /// The number of the last notice that was received or missed.
    pub fn position(&self) -> u64 {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_falls_behind_learns_how_much_it_missed() {
        let hub = Hub::default();
        let mut listener = hub.listen();
        for _ in 0..=BACKLOG {
            hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        }
        assert!(matches!(listener.next().await, Received::Lagged(1)));
        assert_eq!(listener.position(), 1);
        assert!(matches!(listener.next().await, Received::Notice(_)));
        assert_eq!(listener.position(), 2);
    }

    #[tokio::test]
    async fn a_listener_knows_whether_it_has_received_everything() {
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
    async fn a_hub_works_without_listeners() {
        let hub = Hub::default();
        hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
        assert!(!hub.has_listeners());
    }
}

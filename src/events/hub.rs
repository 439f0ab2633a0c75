//! The hub: where what has become true is published, and everybody listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::domain::{Fact, HotelId, RoomTypeId, Step};
use crate::store::feed::Event;

/// Notices that may wait for a listener.
pub const BACKLOG: usize = 4_096;

/// Something that is true now.
#[derive(Debug, Clone)]
pub enum Notice {
    /// These facts were committed together, each with its room type.
    Committed(Arc<[(RoomTypeId, Arc<Fact>)]>),
    /// These events came next in the history, wherever they were committed.
    History(Arc<[Event]>),
    /// A hotel, its services or the list of its room types has changed.
    Hotel(HotelId),
    /// A part of the history is lost: whatever was derived from it must be read from the store again.
    Lost,
}

impl Notice {
    /// The steps that it tells of, each with its room type.
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

/// Where notices are published. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<(u64, Notice)>,
    /// How many notices were ever published; held while one is, so that they are sent in the order of their numbers.
    published: Arc<Mutex<u64>>,
    /// Something has happened on this node that the others do not know yet.
    news: Arc<Notify>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, published: Arc::default(), news: Arc::default() }
    }
}

impl Hub {
    /// Tells everybody who listens what has happened on this node. Nobody is waited for.
    pub fn publish(&self, notice: Notice) {
        self.relay(notice);
        self.news.notify_one();
    }

    /// Tells everybody who listens what has happened elsewhere.
    pub fn relay(&self, notice: Notice) {
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

    /// Waits until something was published on this node since it was waited for last. For one who waits.
    pub async fn has_news(&self) {
        self.news.notified().await;
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

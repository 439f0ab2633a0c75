//! When the tail reads, and what it does when it cannot.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::*;

use crate::domain::{RoomTypeId, Timestamp};
use crate::events::{Listener, Received};
use crate::store::feed::{ChangedHotel, Event, Excerpt, Moment, Payload};
use crate::tasks::Tasks;

/// A history that fails as often as a test sets.
#[derive(Default)]
struct History {
    /// `None`: an event of a hotel or of the installation.
    events: Mutex<Vec<Option<Event>>>,
    failures: AtomicI64,
}

impl History {
    fn grow(&self) {
        let mut events = self.events.lock().unwrap();
        let position = events.len() as u64 + 1;
        let (hotel, room_type) = (HotelId(uuid::Uuid::nil()), RoomTypeId(uuid::Uuid::nil()));
        let payload = Payload::Booking { deltas: Vec::new() };
        let (at, cause) = (Timestamp::UNIX_EPOCH, "booked".to_owned());
        events.push(Some(Event { position, hotel, room_type, sequence: position, at, cause, booking: None, payload }));
    }

    /// Adds an event of a hotel or of the installation.
    fn grow_elsewhere(&self) {
        self.events.lock().unwrap().push(None);
    }
}

#[async_trait]
impl Feed for History {
    async fn events_of(&self, _: RoomTypeId, _: u64, _: u32) -> Result<Vec<Event>, Error> {
        Ok(Vec::new())
    }

    async fn moment(&self, _: RoomTypeId, _: u64) -> Result<Option<Moment>, Error> {
        Ok(None)
    }

    async fn events(&self, after: Option<u64>, limit: u32) -> Result<Option<Excerpt>, Error> {
        match self.failures.fetch_sub(1, Ordering::SeqCst) {
            1 => panic!("the last failure is a mistake of the program"),
            2.. => return Err(Error::Unavailable(anyhow::anyhow!("away"))),
            _ => {}
        }
        let events = self.events.lock().unwrap();
        let after = after.unwrap_or(0);
        let later: Vec<_> = events.iter().skip(after as usize).take(limit as usize).cloned().collect();
        let end = after + later.len() as u64;
        let more = events.len() as u64 > end;
        let last = (end > after).then_some(end);
        Ok(Some(Excerpt { events: later.into_iter().flatten().collect(), last, more }))
    }

    async fn changed_hotels(&self, _: u64, _: u32) -> Result<Vec<ChangedHotel>, Error> {
        Ok(Vec::new())
    }

    async fn end(&self) -> Result<End, Error> {
        Ok(End { event: self.events.lock().unwrap().len() as u64, hotel: 0 })
    }

    async fn trim_events(&self, _: Timestamp, _: u32) -> Result<u64, Error> {
        Ok(0)
    }
}

#[async_trait]
impl Wake for Notify {
    async fn ring(&self) {}

    async fn rung(&self) {
        self.notified().await;
    }
}

/// The sequence numbers that were reported, by room type.
#[derive(Default)]
struct Reported(Mutex<Vec<(RoomTypeId, u64)>>);

#[async_trait]
impl RemoteChanges for Reported {
    async fn hotel_changed_elsewhere(&self, _: HotelId) {}

    fn history_advanced(&self, room_type: RoomTypeId, sequence: u64) {
        self.0.lock().unwrap().push((room_type, sequence));
    }
}

/// A tail that has read once, half a period ago, and its history.
async fn tail() -> (Arc<History>, Arc<Notify>, Listener) {
    let (history, bell, listener, _) = tail_and_changes().await;
    (history, bell, listener)
}

async fn tail_and_changes() -> (Arc<History>, Arc<Notify>, Listener, Arc<Reported>) {
    let (history, bell, hub) = (Arc::new(History::default()), Arc::new(Notify::new()), Hub::default());
    let listener = hub.listen();
    let told = Arc::new(Reported::default());
    let tail = Tail::begin(history.clone(), hub, bell.clone(), told.clone()).await.unwrap();
    tail.follow(&Tasks::default());
    tokio::time::sleep(POLL_INTERVAL / 2).await;
    (history, bell, listener, told)
}

async fn next(listener: &mut Listener) -> Vec<u64> {
    match listener.next().await {
        Received::Notice(Notice::History(events)) => events.iter().map(|event| event.position).collect(),
        other => panic!("{other:?}"),
    }
}

// The clock is paused: it advances to the next timer only when all tasks wait.

#[tokio::test(start_paused = true)]
async fn a_wake_up_is_followed_at_once() {
    let (history, bell, mut listener) = tail().await;
    let before = Instant::now();
    history.grow();
    bell.notify_one();
    assert_eq!((next(&mut listener).await, before.elapsed()), (vec![1], Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn many_wake_ups_after_each_other_are_followed_together() {
    let (history, bell, mut listener) = tail().await;
    history.grow();
    bell.notify_one();
    assert_eq!(next(&mut listener).await, [1]);
    let before = Instant::now();
    for _ in 0..5 {
        history.grow();
        bell.notify_one();
        tokio::task::yield_now().await;
    }
    assert_eq!((next(&mut listener).await, before.elapsed()), (vec![2, 3, 4, 5, 6], PAUSE));
}

#[tokio::test(start_paused = true)]
async fn without_a_wake_up_the_next_poll_reads() {
    let (history, _, mut listener) = tail().await;
    let before = Instant::now();
    history.grow();
    assert_eq!((next(&mut listener).await, before.elapsed()), (vec![1], POLL_INTERVAL / 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_or_a_panic_of_the_store_the_tail_reads_again_and_loses_nothing() {
    let (history, bell, mut listener) = tail().await;
    history.failures.store(3, Ordering::SeqCst);
    history.grow();
    bell.notify_one();
    history.grow();
    assert_eq!(next(&mut listener).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_long_history_is_published_page_by_page() {
    let (history, bell, mut listener) = tail().await;
    (0..=PAGE).for_each(|_| history.grow());
    bell.notify_one();
    assert_eq!(next(&mut listener).await.len(), PAGE as usize);
    assert_eq!(next(&mut listener).await, [u64::from(PAGE) + 1]);
}

#[tokio::test(start_paused = true)]
async fn remote_changes_receive_the_newest_sequence_number() {
    let (history, bell, mut listener, told) = tail_and_changes().await;
    (0..3).for_each(|_| history.grow());
    bell.notify_one();
    next(&mut listener).await;
    assert_eq!(*told.0.lock().unwrap(), [(RoomTypeId(uuid::Uuid::nil()), 3)]);
}

#[tokio::test(start_paused = true)]
async fn events_of_a_hotel_or_of_the_installation_are_skipped() {
    let (history, bell, mut listener) = tail().await;
    (0..2 * PAGE).for_each(|_| history.grow_elsewhere());
    history.grow();
    bell.notify_one();
    assert_eq!(next(&mut listener).await, [u64::from(2 * PAGE) + 1]);
}

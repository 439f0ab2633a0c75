//! Live updates: one task per node follows the hub and updates every watched room type.
//!
//! `app.rs` starts it, and `ws/` makes a [`Subscriber`] per connection. Watched room types are read from the store, not
//! from their actors. So dashboards keep no actor in memory and show no data of a replaced owner.
//!
//! Limit: the `limit` of [`Live::start`] room types are watched at a time. When this task falls too far behind the hub,
//! all projections are dropped and read again on demand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::mailbox::{Mailbox, Slot};
use super::subscriber::Subscriber;
use super::topic::Topic;
use super::update::Window;
use super::{Error, Hub, Listener, Notice, Received, Sources};
use crate::domain::{HotelId, RoomTypeId};
use crate::tasks::{Policy, Tasks};

/// How often projections are rolled to their hotels' current dates.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// All watched room types and hotels. A clone shares the same state.
#[derive(Debug, Clone)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    topics: DashMap<RoomTypeId, Arc<Topic>>,
    hotels: DashMap<HotelId, BTreeMap<Slot, Arc<Mailbox>>>,
    sources: Sources,
    limit: usize,
    slots: AtomicU64,
}

impl Live {
    /// Starts the task that follows the hub. `limit` is the number of room types that can be watched at a time.
    pub fn start(hub: &Hub, sources: Sources, limit: usize, tasks: &Tasks) -> Self {
        let slots = AtomicU64::new(0);
        let live = Self(Arc::new(Inner { topics: DashMap::new(), hotels: DashMap::new(), sources, limit, slots }));
        let (hub, follower) = (hub.clone(), live.clone());
        tasks.spawn("live", Policy::Restart, move |stop| {
            let (listener, follower) = (hub.listen(), follower.clone());
            // A notice that was published between two runs of the task has reached neither.
            follower.invalidate_all();
            async move { follower.follow(listener, stop).await }
        });
        live
    }

    pub fn subscriber(&self) -> Subscriber {
        Subscriber::new(self.clone())
    }

    /// The number of watched room types.
    pub fn watched(&self) -> usize {
        self.0.topics.len()
    }

    async fn follow(self, mut hub: Listener, stop: CancellationToken) {
        let mut clock_checks = interval(CLOCK_CHECK_INTERVAL);
        clock_checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = hub.next() => received,
                _ = clock_checks.tick() => {
                    self.check_clock();
                    continue;
                }
            };
            match received {
                Received::Notice(Notice::Hotel(hotel)) => self.hotel_changed(hotel),
                Received::Notice(Notice::Lost) => self.invalidate_all(),
                Received::Notice(notice) => {
                    let now = self.0.sources.clock.now();
                    for (room_type, step) in notice.steps() {
                        if let Some(topic) = self.topic(room_type) {
                            topic.follow(step, now);
                        }
                    }
                }
                Received::Lagged(missed) => {
                    warn!(missed, "dashboards fell behind the commits: all projections are read again");
                    self.invalidate_all();
                }
                Received::Closed => return,
            }
        }
    }

    /// A day begins at each hotel's own midnight, even if nothing is booked.
    fn check_clock(&self) {
        let now = self.0.sources.clock.now();
        self.all().iter().for_each(|topic| topic.check_clock(now));
    }

    fn hotel_changed(&self, hotel: HotelId) {
        self.all().iter().for_each(|topic| topic.hotel_changed(hotel));
        let followers = self.0.hotels.get(&hotel).map(|followers| followers.clone()).unwrap_or_default();
        followers.values().for_each(|mailbox| mailbox.hotel(hotel));
    }

    fn invalidate_all(&self) {
        self.all().iter().for_each(|topic| topic.invalidate());
    }

    fn topic(&self, room_type: RoomTypeId) -> Option<Arc<Topic>> {
        self.0.topics.get(&room_type).map(|topic| topic.clone())
    }

    fn all(&self) -> Vec<Arc<Topic>> {
        self.0.topics.iter().map(|topic| topic.clone()).collect()
    }

    pub(super) fn sources(&self) -> &Sources {
        &self.0.sources
    }

    pub(super) fn new_slot(&self) -> Slot {
        Slot(self.0.slots.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds a watcher. Its topic cannot be removed in between.
    pub(super) fn enter(
        &self,
        room_type: RoomTypeId,
        window: Window,
        slot: Slot,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Arc<Topic>, Error> {
        if self.0.topics.len() >= self.0.limit && !self.0.topics.contains_key(&room_type) {
            return Err(Error::Full);
        }
        let topic = self.0.topics.entry(room_type).or_insert_with(|| Arc::new(Topic::new(room_type)));
        topic.enter(window, slot, mailbox);
        Ok(topic.clone())
    }

    /// Removes a room type that has no watchers any more.
    pub(super) fn remove_if_unwatched(&self, room_type: RoomTypeId) {
        self.0.topics.remove_if(&room_type, |_, topic| topic.has_no_watchers());
    }

    pub(super) fn follow_hotel(&self, hotel: HotelId, own: Slot, mailbox: &Arc<Mailbox>) {
        self.0.hotels.entry(hotel).or_default().insert(own, mailbox.clone());
    }

    pub(super) fn leave_hotel(&self, hotel: HotelId, own: Slot) {
        self.0.hotels.alter(&hotel, |_, mut followers| {
            followers.remove(&own);
            followers
        });
        self.0.hotels.remove_if(&hotel, |_, followers| followers.is_empty());
    }
}

//! The one task per node that follows the hub, and everybody who watches a room type.
//!
//! Started by `app.rs`; `ws/` makes a [`Subscriber`] per connection. Watched room types are read from the store, not
//! asked of their actors: thousands of dashboards keep nobody awake, and an owner that was replaced draws none of them.
//! At most [`Live::start`]'s `limit` room types are watched at a time; whoever wants one more is told so. When the hub is
//! too fast for this task, every projection is thrown away and read again when it is asked for.

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
use super::{Error, Heard, Hub, Listener, Notice, Sources};
use crate::domain::{HotelId, RoomTypeId};
use crate::tasks::{Policy, Tasks};

/// How often projections are brought to their hotels' dates.
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(1);

/// Everything that is watched. A clone is the same one.
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
    /// Starts the task that follows the hub. `limit`: the most room types that are watched at a time.
    pub fn start(hub: &Hub, sources: Sources, limit: usize, tasks: &Tasks) -> Self {
        let slots = AtomicU64::new(0);
        let live = Self(Arc::new(Inner { topics: DashMap::new(), hotels: DashMap::new(), sources, limit, slots }));
        let (hub, follower) = (hub.clone(), live.clone());
        tasks.spawn("live", Policy::Restart, move |stop| {
            let (listener, follower) = (hub.listen(), follower.clone());
            // What was published between two runs was heard by none of them.
            follower.forget_all();
            async move { follower.follow(listener, stop).await }
        });
        live
    }

    pub fn subscriber(&self) -> Subscriber {
        Subscriber::new(self.clone())
    }

    /// How many room types are watched.
    pub fn watched(&self) -> usize {
        self.0.topics.len()
    }

    async fn follow(self, mut hub: Listener, stop: CancellationToken) {
        let mut looks = interval(LOOK_AT_THE_CLOCK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = hub.next() => heard,
                _ = looks.tick() => {
                    self.look_at_the_clock();
                    continue;
                }
            };
            match heard {
                Heard::Notice(Notice::Hotel(hotel)) => self.hotel_changed(hotel),
                Heard::Notice(Notice::Lost) => self.forget_all(),
                Heard::Notice(notice) => {
                    let now = self.0.sources.clock.now();
                    for (room_type, step) in notice.steps() {
                        if let Some(topic) = self.topic(room_type) {
                            topic.follow(step, now);
                        }
                    }
                }
                Heard::Lagged(missed) => {
                    warn!(missed, "dashboards fell behind the commits and are drawn anew");
                    self.forget_all();
                }
                Heard::Closed => return,
            }
        }
    }

    /// A day begins at each hotel's own midnight, whether or not something is booked.
    fn look_at_the_clock(&self) {
        let now = self.0.sources.clock.now();
        self.all().iter().for_each(|topic| topic.look_at_the_clock(now));
    }

    fn hotel_changed(&self, hotel: HotelId) {
        self.all().iter().for_each(|topic| topic.hotel_changed(hotel));
        let followers = self.0.hotels.get(&hotel).map(|followers| followers.clone()).unwrap_or_default();
        followers.values().for_each(|mailbox| mailbox.hotel(hotel));
    }

    fn forget_all(&self) {
        self.all().iter().for_each(|topic| topic.forget());
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

    /// Enters a watcher, whose topic cannot be tidied away in between.
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

    /// Forgets a room type that nobody watches any more.
    pub(super) fn tidy(&self, room_type: RoomTypeId) {
        self.0.topics.remove_if(&room_type, |_, topic| topic.is_deserted());
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

//! The tail: reads what other nodes committed from the event history and publishes it to this node's hub.
//!
//! One task per node; `app.rs` starts it on a cluster. It reads after a wake-up, unless it has just read, and every
//! half second in case a wake-up was lost. It also reads this node's own events; listeners recognise them by their
//! sequence numbers. A change of a hotel has no sequence number, so after a change on this node its actors reload
//! twice.
//!
//! Invariant: it begins at the end of the history before any listener reads the store, so no event is missed in
//! between.
//! Limit: 500 events per read. When a part of the history was deleted or cannot be read, the tail publishes
//! [`Notice::Lost`] and continues at the end. A store that does not answer is tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Hub, Notice, Wake};
use crate::domain::{HotelId, RoomTypeId};
use crate::store::feed::{End, Excerpt};
use crate::store::{Error, Feed};
use crate::tasks::{Policy, Tasks};

/// The delay of an event whose wake-up was lost, at most.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The pause after each read. Events of a busy cluster are then read together.
pub(super) const PAUSE: Duration = Duration::from_millis(20);
/// Events, or changed hotels, per read.
const PAGE: u32 = 500;

/// Receives changes that were made on other nodes.
#[async_trait]
pub trait RemoteChanges: Send + Sync + 'static {
    /// After it returns, no new request uses the hotel's old data, and the hub has announced the change. It does not
    /// wait for requests in progress.
    async fn hotel_changed_elsewhere(&self, hotel: HotelId);

    /// The history of a room type has reached this sequence number, through any node. It does not wait.
    fn history_advanced(&self, room_type: RoomTypeId, sequence: u64);
}

/// Follows the history.
pub struct Tail {
    feed: Arc<dyn Feed>,
    hub: Hub,
    wake: Arc<dyn Wake>,
    changes: Arc<dyn RemoteChanges>,
    /// Everything up to here has been published.
    read_up_to: End,
}

impl Tail {
    /// Begins at the current end of the history. Listeners of the hub must read the store after this.
    pub async fn begin(
        feed: Arc<dyn Feed>,
        hub: Hub,
        wake: Arc<dyn Wake>,
        changes: Arc<dyn RemoteChanges>,
    ) -> Result<Self, Error> {
        let read_up_to = feed.end().await?;
        Ok(Self { feed, hub, wake, changes, read_up_to })
    }

    /// Starts the task. After a panic it reads again from the last published event.
    pub fn follow(self, tasks: &Tasks) {
        let tail = Arc::new(Mutex::new(self));
        tasks.spawn("tail", Policy::Restart, move |stop| {
            let tail = tail.clone();
            async move { tail.lock().await.run(stop).await }
        });
    }

    async fn run(&mut self, stop: CancellationToken) {
        let mut polls = interval(POLL_INTERVAL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // A wake-up that arrives during a read is kept for the next wait.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.rung() => {}
                _ = polls.tick() => {}
            }
            if let Err(error) = self.read_on().await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the event history cannot be read; the next poll tries again"
                );
            }
            sleep(PAUSE).await;
        }
    }

    async fn read_on(&mut self) -> Result<(), Error> {
        while self.relay_hotels().await? {}
        while self.relay_events().await? {}
        Ok(())
    }

    /// Publishes the next changed hotels. Returns whether there may be more.
    async fn relay_hotels(&mut self) -> Result<bool, Error> {
        let changed = self.feed.changed_hotels(self.read_up_to.hotel, PAGE).await?;
        for change in &changed {
            self.changes.hotel_changed_elsewhere(change.hotel).await;
            self.read_up_to.hotel = change.position;
        }
        Ok(changed.len() >= PAGE as usize)
    }

    /// Publishes the next events. Returns whether there may be more.
    async fn relay_events(&mut self) -> Result<bool, Error> {
        let Excerpt { events, last, more } = match self.feed.events(Some(self.read_up_to.event), PAGE).await {
            Ok(Some(excerpt)) => excerpt,
            Ok(None) => return self.skip_to_end("was deleted before it was read").await,
            Err(Error::Corrupt(error)) => return self.skip_to_end(&format!("cannot be read: {error:#}")).await,
            Err(error) => return Err(error),
        };
        if !events.is_empty() {
            // The map keeps the last event of each room type.
            let newest: HashMap<_, _> = events.iter().map(|event| (event.room_type, event.sequence)).collect();
            newest.into_iter().for_each(|(room_type, sequence)| self.changes.history_advanced(room_type, sequence));
            self.hub.relay(Notice::History(events.into()));
        }
        self.read_up_to.event = last.unwrap_or(self.read_up_to.event);
        Ok(more)
    }

    /// Continues at the end of the history. All listeners must read the store.
    async fn skip_to_end(&mut self, why: &str) -> Result<bool, Error> {
        warn!(why, "a part of the event history is lost; dashboards and search read the store again");
        self.read_up_to.event = self.feed.end().await?.event;
        self.hub.relay(Notice::Lost);
        Ok(false)
    }
}

#[cfg(test)]
mod tests;

//! What other nodes have done: the history is read on and told to this node's hub.
//!
//! One task per node, started by `app.rs` where there are other nodes. It reads what came after what it has read: after
//! a wake-up at once, unless it has just read, and every half second in case one was lost. What this node has done itself
//! is read with the rest and told again; whoever listens knows it by its sequence number. A hotel has none: changed here,
//! its actors begin anew twice, which costs a few reads for each of an operator's changes, and nobody an answer.
//!
//! Invariant: it begins at the end that the history had before anybody listened, and what a listener reads in the store
//! it reads later; so nothing lies in between.
//! Limit: 500 events at a time. A history that was deleted before it was read, or cannot be read, is given up as
//! [`Notice::Lost`]: everybody reads the store, and it goes on at the end. A store that does not answer is asked again.

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
use crate::store::feed::{End, Event, Excerpt};
use crate::store::{Error, Feed};
use crate::tasks::{Policy, Tasks};

/// How late something is heard of when its wake-up was lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it rests after it has read: where many commit, they are read of together, not one by one.
pub(super) const REST: Duration = Duration::from_millis(20);
/// Events, or changed hotels, that are read at once.
const PORTION: u32 = 500;

/// Who works with what a hotel or a room type was, and has to begin anew when another node has changed it.
#[async_trait]
pub trait Tenants: Send + Sync + 'static {
    /// When it returns, nobody begins anything by what the hotel was, and the hub has been told. Nobody who has begun
    /// something is waited for.
    async fn hotel_changed_elsewhere(&self, hotel: HotelId);

    /// The history of a room type has come to this sequence number, through whatever node. Nothing is waited for.
    fn advanced(&self, room_type: RoomTypeId, sequence: u64);
}

/// Follows the history.
pub struct Tail {
    feed: Arc<dyn Feed>,
    hub: Hub,
    wake: Arc<dyn Wake>,
    tenants: Arc<dyn Tenants>,
    /// Up to where it has been told.
    told: End,
}

impl Tail {
    /// Begins here and now. Whoever listens to the hub must begin to read the store after this.
    pub async fn begin(
        feed: Arc<dyn Feed>,
        hub: Hub,
        wake: Arc<dyn Wake>,
        tenants: Arc<dyn Tenants>,
    ) -> Result<Self, Error> {
        let told = feed.end().await?;
        Ok(Self { feed, hub, wake, tenants, told })
    }

    /// Starts the task that reads on. After a panic it reads again what it had not relayed.
    pub fn follow(self, tasks: &Tasks) {
        let tail = Arc::new(Mutex::new(self));
        tasks.spawn("tail", Policy::Restart, move |stop| {
            let tail = tail.clone();
            async move { tail.lock().await.run(stop).await }
        });
    }

    async fn run(&mut self, stop: CancellationToken) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // A wake-up that arrives during a read is kept until it is waited for.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.rung() => {}
                _ = looks.tick() => {}
            }
            if let Err(error) = self.read_on().await {
                warn!(error = &error as &dyn std::error::Error, "the history of other nodes cannot be read");
            }
            sleep(REST).await;
        }
    }

    async fn read_on(&mut self) -> Result<(), Error> {
        while self.tell_hotels().await? {}
        while self.tell_events().await? {}
        Ok(())
    }

    /// Tells the next hotels that have changed; whether there may be more.
    async fn tell_hotels(&mut self) -> Result<bool, Error> {
        let changed = self.feed.changed_hotels(self.told.hotel, PORTION).await?;
        for change in &changed {
            self.tenants.hotel_changed_elsewhere(change.hotel).await;
            self.told.hotel = change.position;
        }
        Ok(changed.len() >= PORTION as usize)
    }

    /// Tells the next events; whether there may be more.
    async fn tell_events(&mut self) -> Result<bool, Error> {
        let Excerpt { events, more } = match self.feed.events(Some(self.told.event), PORTION).await {
            Ok(Some(excerpt)) => excerpt,
            Ok(None) => return self.give_up("was deleted before it was read").await,
            Err(Error::Corrupt(error)) => return self.give_up(&format!("cannot be read: {error:#}")).await,
            Err(error) => return Err(error),
        };
        if let Some(&Event { position, .. }) = events.last() {
            // Of each room type the last one remains.
            let newest: HashMap<_, _> = events.iter().map(|event| (event.room_type, event.sequence)).collect();
            newest.into_iter().for_each(|(room_type, sequence)| self.tenants.advanced(room_type, sequence));
            self.hub.relay(Notice::History(events.into()));
            self.told.event = position;
        }
        Ok(more)
    }

    /// Goes on at the end; everybody must read the store.
    async fn give_up(&mut self, why: &str) -> Result<bool, Error> {
        warn!(why, "a part of the history is lost; dashboards and searches read the store again");
        self.told.event = self.feed.end().await?.event;
        self.hub.relay(Notice::Lost);
        Ok(false)
    }
}

#[cfg(test)]
mod tests;

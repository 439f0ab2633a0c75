//! Wake-ups through Redis: every node hears every other ring on one channel.
//!
//! Best effort: while Redis is away nobody is woken, and everybody looks by themselves now and then. Whoever has just
//! subscribed counts as rung, because somebody may have rung before.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::Script;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::debug;

use super::keys;
use super::link::{Heard, Link};
use crate::events::Wake;
use crate::lease::NodeId;
use crate::tasks::{Policy, Tasks};

static RING: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("ring.lua")));

/// How long it takes at least from one subscription to the next.
const AGAIN: Duration = Duration::from_secs(1);
/// A subscription that has been silent for so long may be broken without anybody noticing, and is made anew.
const SILENCE: Duration = Duration::from_secs(30);

/// The bell of one node.
pub struct RedisWake {
    link: Link,
    me: NodeId,
    rung: Notify,
}

impl RedisWake {
    pub(super) fn new(link: Link, me: NodeId) -> Self {
        Self { link, me, rung: Notify::new() }
    }

    /// Starts the task that listens to the other nodes.
    pub fn listen(self: &Arc<Self>, tasks: &Tasks) {
        let wake = self.clone();
        tasks.spawn("wake_up_receiver", Policy::Restart, move |stop| {
            let wake = wake.clone();
            async move {
                stop.run_until_cancelled(wake.hear_everybody()).await;
            }
        });
    }

    async fn hear_everybody(&self) {
        let mut tries = interval(AGAIN);
        tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tries.tick().await;
            match self.link.subscribe(keys::WAKE_UPS).await {
                Ok(heard) => self.hear(heard).await,
                Err(error) => debug!(error = &error as &dyn std::error::Error, "no wake-ups from other nodes"),
            }
        }
    }

    /// Until the subscription ends.
    async fn hear(&self, mut heard: Heard) {
        self.rung.notify_one();
        while let Ok(Some(message)) = timeout(SILENCE, heard.next()).await {
            if message.get_payload_bytes() != self.me.as_str().as_bytes() {
                self.rung.notify_one();
            }
        }
    }
}

#[async_trait]
impl Wake for RedisWake {
    async fn ring(&self) {
        let mut call = RING.prepare_invoke();
        call.arg(keys::WAKE_UPS).arg(self.me.as_str());
        if let Err(error) = self.link.run::<()>(call).await {
            debug!(error = &error as &dyn std::error::Error, "the other nodes are not woken");
        }
    }

    async fn rung(&self) {
        self.rung.notified().await;
    }
}

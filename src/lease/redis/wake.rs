//! Wake-ups through Redis: all nodes publish and listen on one channel.
//!
//! Best effort: while Redis is away no node is woken, and each node polls from time to time. A new subscription counts as a
//! wake-up, because messages may have been missed before it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::Script;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::debug;

use super::keys;
use crate::events::Wake;
use crate::lease::NodeId;
use crate::redis::{Connection, Messages};
use crate::tasks::{Policy, Tasks};

static RING: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("ring.lua")));

/// The shortest time between two subscriptions.
const RESUBSCRIBE: Duration = Duration::from_secs(1);
/// A subscription that is silent for so long may be broken unnoticed, and is renewed.
const SILENCE: Duration = Duration::from_secs(30);

/// The wake-ups of one node.
pub struct RedisWake {
    redis: Connection,
    me: NodeId,
    rung: Notify,
}

impl RedisWake {
    pub(super) fn new(redis: Connection, me: NodeId) -> Self {
        Self { redis, me, rung: Notify::new() }
    }

    /// Starts the task that listens to the other nodes.
    pub fn listen(self: &Arc<Self>, tasks: &Tasks) {
        let wake = self.clone();
        tasks.spawn("wake_up_receiver", Policy::Restart, move |stop| {
            let wake = wake.clone();
            async move {
                stop.run_until_cancelled(wake.listen_forever()).await;
            }
        });
    }

    async fn listen_forever(&self) {
        let mut tries = interval(RESUBSCRIBE);
        tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tries.tick().await;
            match self.redis.subscribe(keys::WAKE_UPS).await {
                Ok(messages) => self.receive(messages).await,
                Err(error) => debug!(error = &error as &dyn std::error::Error, "no wake-ups from other nodes"),
            }
        }
    }

    /// Receives messages until the subscription ends.
    async fn receive(&self, mut messages: Messages) {
        self.rung.notify_one();
        while let Ok(Some(message)) = timeout(SILENCE, messages.next()).await {
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
        if let Err(error) = self.redis.run::<()>(call).await {
            debug!(error = &error as &dyn std::error::Error, "the other nodes are not woken");
        }
    }

    async fn rung(&self) {
        self.rung.notified().await;
    }
}

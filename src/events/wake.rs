//! Wake-ups: a node that has committed something lets the others know that the history has grown.
//!
//! A wake-up says nothing but that, and may be lost: the history tells what happened, and whoever follows it looks there
//! now and then anyway ([`super::tail`]). So it costs a commit nothing, and its failure costs the others a moment.
//!
//! To add a way of waking: implement [`Wake`], and choose it in `app.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::sleep;

use super::Hub;
use super::tail::REST;
use crate::tasks::{Policy, Tasks};

/// The other nodes, as far as waking goes.
#[async_trait]
pub trait Wake: Send + Sync + 'static {
    /// Wakes the other nodes, if they can be reached. Does not wait for them.
    async fn ring(&self);

    /// Waits until another node has rung since this was waited for last. For one who waits; may come back too often.
    async fn rung(&self);
}

/// Starts the task that rings whenever something has happened on this node. It rests between two rings as long as the
/// listeners do: one ring announces all that happened meanwhile.
pub fn announce(hub: Hub, wake: Arc<dyn Wake>, tasks: &Tasks) {
    tasks.spawn("wake_up_sender", Policy::Restart, move |stop| {
        let (hub, wake) = (hub.clone(), wake.clone());
        async move {
            while stop.run_until_cancelled(hub.has_news()).await.is_some() {
                wake.ring().await;
                sleep(REST).await;
            }
        }
    });
}

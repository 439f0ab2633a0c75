//! Wake-ups: a node that has committed something tells other nodes to read the history.
//!
//! A wake-up carries no data and may be lost. The history has the data, and other nodes also poll it ([`super::tail`]).
//! So a wake-up costs a commit nothing, and a lost one costs other nodes half a second.
//!
//! To add another kind of wake-up: implement [`Wake`] and choose it in `app.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::sleep;

use super::Hub;
use super::tail::PAUSE;
use crate::tasks::{Policy, Tasks};

/// Sends wake-ups to other nodes and receives theirs.
#[async_trait]
pub trait Wake: Send + Sync + 'static {
    /// Wakes other nodes that can be reached. Does not wait for them.
    async fn ring(&self);

    /// Waits until another node has sent a wake-up since the last wait. For one waiting task only. May return too
    /// often.
    async fn rung(&self);
}

/// Starts the task that sends a wake-up when something has happened on this node. It pauses between two wake-ups as
/// long as the tail does, so one wake-up announces everything that happened meanwhile.
pub fn announce(hub: Hub, wake: Arc<dyn Wake>, tasks: &Tasks) {
    tasks.spawn("wake_up_sender", Policy::Restart, move |stop| {
        let (hub, wake) = (hub.clone(), wake.clone());
        async move {
            while stop.run_until_cancelled(hub.has_news()).await.is_some() {
                wake.ring().await;
                sleep(PAUSE).await;
            }
        }
    });
}

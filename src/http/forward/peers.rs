//! How a node talks to the other nodes of its cluster.

use std::time::Duration;

use super::credentials::{Claims, Signer};
use super::forwarder::Forwarder;
use crate::domain::Timestamp;
use crate::lease::NodeId;
use crate::secret::Secret;

/// The secret and the connection settings that the nodes of a cluster share. A clone is cheap.
#[derive(Clone)]
pub struct Peers {
    signer: Signer,
    keep_alive: Duration,
}

impl Peers {
    /// `keep_alive` is how long another node keeps an idle connection open. All nodes of a cluster are expected to have
    /// the same setting.
    pub fn new(me: NodeId, secret: &Secret, keep_alive: Duration) -> Self {
        Self { signer: Signer::new(me, secret), keep_alive }
    }

    /// The claims of these credentials, if a node of this cluster signed them for this node.
    pub fn check(&self, credentials: &str, now: Timestamp) -> Option<Claims> {
        self.signer.check(credentials, now)
    }

    /// Sends requests to the other nodes. Each worker thread needs its own, because connections belong to a thread.
    pub fn forwarder(&self) -> reqwest::Result<Forwarder> {
        Forwarder::new(self.signer.clone(), self.keep_alive)
    }
}

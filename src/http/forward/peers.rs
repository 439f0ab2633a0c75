//! What a node needs to talk to the others.

use std::time::Duration;

use super::credentials::{Claims, Seal};
use super::forwarder::Forwarder;
use crate::config::Secret;
use crate::domain::Timestamp;
use crate::lease::NodeId;

/// The other nodes, as far as HTTP is concerned. A clone is cheap.
#[derive(Clone)]
pub struct Peers {
    seal: Seal,
    keep_alive: Duration,
}

impl Peers {
    /// `keep_alive` is how long another node leaves an idle connection open: every node of a cluster is taken to have the
    /// settings of this one.
    pub fn new(me: NodeId, secret: &Secret, keep_alive: Duration) -> Self {
        Self { seal: Seal::new(me, secret), keep_alive }
    }

    /// What a node of this cluster states with these credentials.
    pub fn check(&self, credentials: &str, now: Timestamp) -> Option<Claims> {
        self.seal.check(credentials, now)
    }

    /// Somebody who takes requests to the other nodes. One per thread that speaks HTTP: its connections live there.
    pub fn forwarder(&self) -> reqwest::Result<Forwarder> {
        Forwarder::new(self.seal.clone(), self.keep_alive)
    }
}

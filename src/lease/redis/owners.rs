//! A cache of owners, as Redis last named them. A wrong entry is harmless: a node that is not the owner answers so.
//!
//! A fresh entry saves a call to Redis for every forwarded request. An old one is used only while Redis does not answer. The
//! cache has names only; [`super::registry`] has the addresses.

use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::domain::RoomTypeId;
use crate::lease::{Acquired, NodeId};

/// Entries in the cache.
const REMEMBERED: u64 = 100_000;

/// The last known owners, other than this node, and when Redis named them.
#[derive(Debug)]
pub struct Owners(Cache<RoomTypeId, (NodeId, Instant)>);

impl Default for Owners {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Owners {
    pub fn learn(&self, room_type: RoomTypeId, answer: &Acquired) {
        match answer {
            Acquired::Granted(_) => self.0.invalidate(&room_type),
            Acquired::Elsewhere(peer) => self.0.insert(room_type, (peer.node.clone(), Instant::now())),
        }
    }

    pub fn last(&self, room_type: RoomTypeId) -> Option<NodeId> {
        self.0.get(&room_type).map(|(node, _)| node)
    }

    /// The owner, if Redis named it no longer than `age` ago.
    pub fn found_within(&self, room_type: RoomTypeId, age: Duration) -> Option<NodeId> {
        self.0.get(&room_type).filter(|(_, found)| found.elapsed() < age).map(|(node, _)| node)
    }
}

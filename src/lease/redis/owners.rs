//! Who owned what when Redis was last asked. A guess, and harmless: a node that is not the owner says so.
//!
//! A fresh one saves asking Redis for every request that goes to another node; an old one is used only while Redis cannot
//! be asked. Only names are remembered: an address is good for as long as its node is known ([`super::registry`]).

use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::domain::RoomTypeId;
use crate::lease::{Acquired, NodeId};

/// Room types of which the last owner is remembered.
const REMEMBERED: u64 = 100_000;

/// The last known owners, other than this node, and when they were found.
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

    /// The owner that was found no longer ago than `age`.
    pub fn found_within(&self, room_type: RoomTypeId, age: Duration) -> Option<NodeId> {
        self.0.get(&room_type).filter(|(_, found)| found.elapsed() < age).map(|(node, _)| node)
    }
}

//! Who owned what when Redis was last asked. A guess: used only while it cannot be asked.

use moka::future::Cache;

use crate::domain::RoomTypeId;
use crate::lease::{Acquired, Peer};

/// Room types of which the last owner is remembered.
const REMEMBERED: u64 = 100_000;

/// The last known owners, other than this node.
#[derive(Debug)]
pub struct Owners(Cache<RoomTypeId, Peer>);

impl Default for Owners {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Owners {
    pub async fn learn(&self, room_type: RoomTypeId, answer: &Acquired) {
        match answer {
            Acquired::Granted(_) => self.0.invalidate(&room_type).await,
            Acquired::Elsewhere(peer) => self.0.insert(room_type, peer.clone()).await,
        }
    }

    pub async fn last(&self, room_type: RoomTypeId) -> Option<Peer> {
        self.0.get(&room_type).await
    }
}

//! Facts of which nobody knows whether they are stored, because the store did not say.
//!
//! They are kept here until it does: their callers may have given up by then, but whoever follows the hub is to hear of
//! what was committed. Only an actor that has claimed the room type since may ask, as before that a commit may still be
//! under way; [`Engine::recover`](super::Engine::recover) wakes one where nobody else does. What another node owns is
//! forgotten: the history tells of it.
//!
//! Limit: what was being committed when the store fell silent, of room types that could not be claimed since. While the
//! store is away nothing is decided, so nothing is added.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{Fact, RoomTypeId};

/// All of this node.
#[derive(Default)]
pub(super) struct UnknownOutcomes(Mutex<BTreeMap<RoomTypeId, Vec<Arc<Fact>>>>);

impl UnknownOutcomes {
    pub fn add(&self, room_type: RoomTypeId, fact: Arc<Fact>) {
        self.map().entry(room_type).or_default().push(fact);
    }

    pub fn of(&self, room_type: RoomTypeId) -> Vec<Arc<Fact>> {
        self.map().get(&room_type).cloned().unwrap_or_default()
    }

    pub fn room_types(&self) -> Vec<RoomTypeId> {
        self.map().keys().copied().collect()
    }

    /// The store has said what became of these.
    pub fn settled(&self, room_type: RoomTypeId, facts: &[Arc<Fact>]) {
        let mut map = self.map();
        let Some(left) = map.get_mut(&room_type) else { return };
        left.retain(|fact| facts.iter().all(|settled| settled.id != fact.id));
        if left.is_empty() {
            map.remove(&room_type);
        }
    }

    pub fn forget(&self, room_type: RoomTypeId) {
        self.map().remove(&room_type);
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<RoomTypeId, Vec<Arc<Fact>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Facts with an unknown outcome: the store did not say whether it has them.
//!
//! They stay here until the store says so. Their callers may have given up by then, but followers of the hub must still
//! receive every committed fact. Only an actor that has claimed the room type since then may ask the store: before the
//! claim, the commit may still be under way. [`Engine::recover`](super::Engine::recover) starts such an actor when no
//! request does. Facts of a room type that another node owns are dropped, because the event history reports them.
//!
//! Limit: the facts that were being committed when the store stopped answering. While the store is away nothing is
//! decided, so nothing is added.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{Fact, RoomTypeId};

/// All facts of this node with an unknown outcome.
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

    /// Removes facts whose outcome is known now.
    pub fn resolved(&self, room_type: RoomTypeId, facts: &[Arc<Fact>]) {
        let mut map = self.map();
        let Some(left) = map.get_mut(&room_type) else { return };
        left.retain(|fact| facts.iter().all(|resolved| resolved.id != fact.id));
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

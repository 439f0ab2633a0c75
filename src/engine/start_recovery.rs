//! Recovery at start: loads room types that have work to do although no request asks for them.
//!
//! Such work is a hold that expires or a fact with an unknown outcome. `app.rs` calls [`Engine::recover`] at the start,
//! housekeeping calls it every minute. It loads a few room types at a time, because each needs a lease, a claim and a
//! load. Guests' requests must not wait behind thousands of them.
//!
//! Invariant: one recovery runs at a time. Work that appears during a recovery is left to the next one.
//! Limit: [`AT_ONCE`]. A room type that cannot be loaded is tried by the next recovery. Until its actor is loaded, an
//! expired hold is free all the same, because every request frees overdue holds first. Only its event comes later.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::handle::Engine;
use super::message::RunDueWork;
use super::room_type;
use super::shared::Shared;
use crate::domain::RoomTypeId;
use crate::lease::Asked;
use crate::store;

/// Room types that are loaded at once. By default the store has more connections than this, so requests keep some.
const AT_ONCE: usize = 8;

impl Engine {
    /// Loads the room types of this node that have holds or facts with an unknown outcome. Returns the number of room
    /// types with holds; loading continues in the background.
    ///
    /// To be called at the start and periodically: an actor may have failed to load, and another node may be gone.
    pub async fn recover(&self) -> Result<usize, store::Error> {
        // First, because these need no list from the store. They are few: facts that were being committed when the store
        // stopped answering.
        for id in self.shared.unknown_outcomes.room_types() {
            room_type::find_or_start(id, Asked::Here, &self.shared).addr.do_send(RunDueWork);
        }
        let mut holding = self.shared.journal.room_types_with_holds().await?;
        holding.retain(|id| self.shared.lease.belongs_here(*id));
        let count = holding.len();
        if let Ok(turn) = self.shared.recovering.clone().try_lock_owned() {
            let shared = self.shared.clone();
            tokio::spawn(async move {
                stream::iter(holding).for_each_concurrent(AT_ONCE, |id| recover(id, &shared)).await;
                drop(turn);
            });
        }
        Ok(count)
    }
}

/// Returns when the room type is loaded or has failed to load. An actor that is loaded already checks the clock, because
/// its timer followed the clock as it was when the timer was set.
async fn recover(id: RoomTypeId, shared: &Arc<Shared>) {
    if shared.closing.has_begun() {
        return;
    }
    if let Some(actor) = shared.directory.find(id) {
        return actor.addr.do_send(RunDueWork);
    }
    // The actor handles this message after its load. An actor that has ended drops it.
    let _ = room_type::find_or_start(id, Asked::Here, shared).addr.send(RunDueWork).await;
}

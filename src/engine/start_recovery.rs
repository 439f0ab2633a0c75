//! Waking: room types that nobody asks for, and that have something to do all the same: holds that run out, facts in
//! doubt.
//!
//! Called by `app.rs` at the start and by housekeeping every minute. A few at a time: each takes a lease, a claim and a
//! load, and guests, who ask for other room types meanwhile, are not to stand behind thousands of them.
//!
//! Invariant: one waking at a time. What one that is under way does not know of is left to the next.
//! Limit: [`AT_ONCE`]. A hold whose actor is not awake yet is free all the same when its time is over, as every request
//! frees first; only nobody is told. One that cannot be woken is tried again by the next waking.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::handle::{Engine, Shared};
use super::message::Settle;
use crate::domain::RoomTypeId;
use crate::lease::Asked;
use crate::store;

/// Room types that are loaded at once: fewer than a store has connections by default, so that some are left for guests.
const AT_ONCE: usize = 8;

impl Engine {
    /// Wakes the room types that have holds and belong to this node, so that their timers run; how many there are. It
    /// goes on when this returns. Wakes those, too, of which something is in doubt. To be called after the start, and
    /// now and then, because an actor that could not load at the time has gone again, and another node may have gone
    /// for good.
    pub async fn recover(&self) -> Result<usize, store::Error> {
        // Even if nobody can say where the holds are. No more than were being committed when the store fell silent.
        for id in self.shared.unknown_outcomes.room_types() {
            self.shared.directory.find_or_start(id, Asked::Here, &self.shared).addr.do_send(Settle);
        }
        let mut holding = self.shared.journal.room_types_with_holds().await?;
        holding.retain(|id| self.shared.lease.belongs_here(*id));
        let count = holding.len();
        if let Ok(turn) = self.shared.recovering.clone().try_lock_owned() {
            let shared = self.shared.clone();
            tokio::spawn(async move {
                stream::iter(holding).for_each_concurrent(AT_ONCE, |id| wake(id, &shared)).await;
                drop(turn);
            });
        }
        Ok(count)
    }
}

/// Returns when the room type has been loaded, or could not be. One that is awake looks at the clock: its timer went by the
/// clock as it was.
async fn wake(id: RoomTypeId, shared: &Arc<Shared>) {
    if shared.is_closing() {
        return;
    }
    if let Some(awake) = shared.directory.find(id) {
        return awake.addr.do_send(Settle);
    }
    // Taken up after the load. An actor that is gone has not.
    let _ = shared.directory.find_or_start(id, Asked::Here, shared).addr.send(Settle).await;
}

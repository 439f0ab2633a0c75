//! One ownership of a room type: from the claim of a token to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;
use tracing::{debug, warn};

use super::{Error, Shared};
use crate::domain::{Inventory, RoomTypeId};
use crate::lease::{Acquired, Asked, Token};
use crate::store::Claim;
use crate::writer::Place;

/// How often a lease that fell behind the store is raised before we give up.
const CLAIMS: usize = 3;

/// A room type in memory, under one fencing token.
pub(super) struct Tenure {
    pub token: Token,
    /// Before this moment others may have committed, after it nobody else.
    pub began: Instant,
    /// Everything decided so far, durable or not.
    pub inventory: Inventory,
    /// The sequence up to which everything is durable.
    pub durable: Arc<AtomicU64>,
}

impl Tenure {
    pub fn is_durable(&self) -> bool {
        self.durable.load(Ordering::Acquire) >= self.inventory.sequence()
    }

    /// Calls `then` as soon as everything decided so far has been settled: with `true` if all of it is durable.
    pub fn when_durable(&self, place: Place, then: impl FnOnce(bool) + Send + 'static) {
        if self.is_durable() {
            return then(true);
        }
        let (durable, based_on) = (self.durable.clone(), self.inventory.sequence());
        place.after(move || then(durable.load(Ordering::Acquire) >= based_on));
    }
}

/// Acquires the lease, claims its token in the store, and loads what the store knows. The order matters: after the
/// claim no other owner can commit, so what is loaded is the last word.
pub(super) async fn begin(id: RoomTypeId, asked: Asked, shared: &Shared) -> Result<Tenure, Error> {
    let mut token = match shared.lease.acquire(id, asked).await.map_err(unavailable)? {
        Acquired::Granted(token) => token,
        Acquired::Elsewhere(peer) => return Err(Error::Elsewhere(peer)),
    };
    let begun = claim_and_load(id, &mut token, shared).await;
    match &begun {
        Ok(_) => {}
        Err(Error::NoSuchRoomType) => shared.lease.forget(id, token),
        Err(_) => shared.lease.release(id, token),
    }
    begun
}

/// `token` is the last one that was granted, also when this fails.
async fn claim_and_load(id: RoomTypeId, token: &mut Token, shared: &Shared) -> Result<Tenure, Error> {
    for _ in 0..CLAIMS {
        match shared.ledger.claim(id, *token).await.map_err(unavailable)? {
            Claim::Granted => return load(id, *token, shared).await,
            Claim::NoSuchRoomType => return Err(Error::NoSuchRoomType),
            Claim::Stale { current } => *token = shared.lease.raise(id, current).await.map_err(unavailable)?,
        }
    }
    Err(Error::Unavailable)
}

async fn load(id: RoomTypeId, token: Token, shared: &Shared) -> Result<Tenure, Error> {
    let began = Instant::now();
    let loaded = shared.ledger.load(id, shared.clock.now()).await.map_err(unavailable)?;
    let inventory = loaded.ok_or(Error::NoSuchRoomType)?;
    debug!(room_type = %id, token = token.0, sequence = inventory.sequence(), "a room type is loaded");
    let durable = Arc::new(AtomicU64::new(inventory.sequence()));
    Ok(Tenure { token, began, inventory, durable })
}

fn unavailable(error: impl std::error::Error + 'static) -> Error {
    warn!(error = &error as &dyn std::error::Error, "a room type cannot be taken over");
    Error::Unavailable
}

//! One ownership of a room type: from the claim of a fencing token to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;
use tracing::{debug, warn};

use super::Error;
use super::message::Failure;
use super::shared::Shared;
use crate::domain::{Inventory, RoomTypeId};
use crate::lease::{self, Acquired, Asked, Token};
use crate::store::{self, Claim};
use crate::writer::QueuePermit;

/// Claims that are tried before the engine gives up. Each failed claim raises the lease's token above the store's.
const CLAIMS: usize = 3;

/// A room type in memory, under one fencing token.
pub(super) struct Ownership {
    pub token: Token,
    /// Another owner may have committed before this instant. None can have committed after it.
    pub began: Instant,
    /// The room type with all facts decided so far, durable or not.
    pub inventory: Inventory,
    pub progress: Arc<CommitProgress>,
}

/// What the writer has reported about the facts of one ownership, in the order of the facts.
pub(super) struct CommitProgress {
    /// All facts up to this sequence number are durable.
    durable: AtomicU64,
    /// The store left out one fact by itself, with every fact that was decided on top of it.
    left_out: AtomicBool,
}

impl CommitProgress {
    fn at(sequence: u64) -> Arc<Self> {
        Arc::new(Self { durable: AtomicU64::new(sequence), left_out: AtomicBool::new(false) })
    }

    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn mark_durable(&self, sequence: u64) {
        self.durable.fetch_max(sequence, Ordering::AcqRel);
    }

    pub fn mark_left_out(&self) {
        self.left_out.store(true, Ordering::Release);
    }

    pub fn has_left_out(&self) -> bool {
        self.left_out.load(Ordering::Acquire)
    }

    /// The failure of a request that was decided on top of a fact that was not stored.
    pub fn failure_of_dependents(&self) -> Failure {
        match self.has_left_out() {
            true => Failure::Retired,
            false => Error::Interrupted.into(),
        }
    }
}

impl Ownership {
    pub fn is_durable(&self) -> bool {
        self.progress.durable() >= self.inventory.sequence()
    }

    /// Calls `then` when the outcome of every fact decided so far is known. `Ok` means that all of them are durable.
    pub fn when_durable(&self, permit: QueuePermit, then: impl FnOnce(Result<(), Failure>) + Send + 'static) {
        if self.is_durable() {
            return then(Ok(()));
        }
        let (progress, based_on) = (self.progress.clone(), self.inventory.sequence());
        permit.after(move || match progress.durable() >= based_on {
            true => then(Ok(())),
            false => then(Err(progress.failure_of_dependents())),
        });
    }
}

/// Acquires the lease, claims its token in the store, and loads the room type, in this order. After the claim no other
/// owner can commit, so the loaded state is the newest.
pub(super) async fn begin(id: RoomTypeId, asked: Asked, shared: &Shared) -> Result<Ownership, Error> {
    let mut token = match shared.lease.acquire(id, asked).await.map_err(no_lease)? {
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

/// `token` is the last token that was granted, also after a failure.
async fn claim_and_load(id: RoomTypeId, token: &mut Token, shared: &Shared) -> Result<Ownership, Error> {
    for _ in 0..CLAIMS {
        match shared.journal.claim(id, *token).await.map_err(unavailable)? {
            Claim::Granted => return load(id, *token, shared).await,
            Claim::NoSuchRoomType => return Err(Error::NoSuchRoomType),
            Claim::Stale { current } => *token = shared.lease.raise(id, current).await.map_err(no_lease)?,
        }
    }
    Err(Error::Unavailable)
}

async fn load(id: RoomTypeId, token: Token, shared: &Shared) -> Result<Ownership, Error> {
    let began = Instant::now();
    let loaded = shared.journal.load(id, shared.clock.now()).await.map_err(unavailable)?;
    let inventory = loaded.ok_or(Error::NoSuchRoomType)?;
    debug!(room_type = %id, token = token.0, sequence = inventory.sequence(), "a room type is loaded");
    let progress = CommitProgress::at(inventory.sequence());
    Ok(Ownership { token, began, inventory, progress })
}

fn unavailable(error: store::Error) -> Error {
    warn!(error = &error as &dyn std::error::Error, "the store does not let this node take over a room type");
    Error::Unavailable
}

fn no_lease(error: lease::Unavailable) -> Error {
    warn!(error = &error as &dyn std::error::Error, "no lease could be acquired for a room type");
    error.into()
}

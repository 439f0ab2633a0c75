//! One ownership of a room type: from the claim of a token to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;
use tracing::{debug, warn};

use super::message::Failure;
use super::{Error, Shared};
use crate::domain::{Inventory, RoomTypeId};
use crate::lease::{self, Acquired, Asked, Token};
use crate::store::{self, Claim};
use crate::writer::QueuePermit;

/// How often a lease that fell behind the store is raised before we give up.
const CLAIMS: usize = 3;

/// A room type in memory, under one fencing token.
pub(super) struct Ownership {
    pub token: Token,
    /// Before this moment others may have committed, after it nobody else.
    pub began: Instant,
    /// Everything decided so far, durable or not.
    pub inventory: Inventory,
    /// What the writer has told about this ownership's facts.
    pub settled: Arc<Settled>,
}

/// What the writer has told about the facts of one ownership. Written on the writer's task, in the order of the facts.
pub(super) struct Settled {
    /// The sequence up to which everything is durable.
    durable: AtomicU64,
    /// One fact was left out by itself: nothing was stored of it, nor of what was decided on top of it.
    left_out: AtomicBool,
}

impl Settled {
    fn at(sequence: u64) -> Arc<Self> {
        Arc::new(Self { durable: AtomicU64::new(sequence), left_out: AtomicBool::new(false) })
    }

    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn is_durable(&self, sequence: u64) {
        self.durable.fetch_max(sequence, Ordering::AcqRel);
    }

    pub fn leave_out(&self) {
        self.left_out.store(true, Ordering::Release);
    }

    pub fn has_left_out(&self) -> bool {
        self.left_out.load(Ordering::Acquire)
    }

    /// What becomes of a request that was decided on top of something that was not stored.
    pub fn undone(&self) -> Failure {
        match self.has_left_out() {
            true => Failure::Retired,
            false => Error::Interrupted.into(),
        }
    }
}

impl Ownership {
    pub fn is_durable(&self) -> bool {
        self.settled.durable() >= self.inventory.sequence()
    }

    /// Calls `then` as soon as everything decided so far has been settled: with `Ok` if all of it is durable.
    pub fn when_durable(&self, permit: QueuePermit, then: impl FnOnce(Result<(), Failure>) + Send + 'static) {
        if self.is_durable() {
            return then(Ok(()));
        }
        let (settled, based_on) = (self.settled.clone(), self.inventory.sequence());
        permit.after(move || match settled.durable() >= based_on {
            true => then(Ok(())),
            false => then(Err(settled.undone())),
        });
    }
}

/// Acquires the lease, claims its token in the store, and loads what the store knows. The order matters: after the
/// claim no other owner can commit, so what is loaded is the last word.
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

/// `token` is the last one that was granted, also when this fails.
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
    let settled = Settled::at(inventory.sequence());
    Ok(Ownership { token, began, inventory, settled })
}

fn unavailable(error: store::Error) -> Error {
    warn!(error = &error as &dyn std::error::Error, "a room type cannot be taken over");
    Error::Unavailable
}

fn no_lease(error: lease::Unavailable) -> Error {
    warn!(error = &error as &dyn std::error::Error, "a room type cannot be taken over");
    error.into()
}

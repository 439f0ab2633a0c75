//! The state that all actors of one engine share.
//!
//! Built once, by `start`. Actors, the handle and the revocation task hold it in an `Arc`. Its fields change only
//! through their own types; the one flag of its own says that the engine is shutting down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use super::Options;
use super::claim_check::ClaimCheck;
use super::directory::Directory;
use super::failpoint::Failpoints;
use super::idempotency::IdempotencyRecords;
use super::threads::Threads;
use super::unknown_outcomes::UnknownOutcomes;
use crate::clock::{Clock, IdSource};
use crate::events::Hub;
use crate::lease::Lease;
use crate::store::Journal;
use crate::writer::Writer;

pub(super) struct Shared {
    pub options: Options,
    pub journal: Arc<dyn Journal>,
    pub lease: Arc<dyn Lease>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub failpoints: Arc<dyn Failpoints>,
    pub hub: Hub,
    pub writer: Writer,
    pub idempotency: IdempotencyRecords,
    pub claim_check: ClaimCheck,
    pub unknown_outcomes: UnknownOutcomes,
    pub directory: Directory,
    pub threads: Threads,
    /// Held while a recovery loads room types: at most one recovery runs at a time.
    pub recovering: Arc<Mutex<()>>,
    pub closing: Closing,
}

/// Whether the engine is shutting down. Once set, it stays set.
#[derive(Debug, Default)]
pub(super) struct Closing(AtomicBool);

impl Closing {
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

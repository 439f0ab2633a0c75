//! Starts an engine: builds the shared state, the writer, the threads and the background task.

use std::sync::Arc;

use super::directory::Directory;
use super::failpoint::{Failpoints, NoFailpoints};
use super::handle::Engine;
use super::idempotency::IdempotencyRecords;
use super::shared::Shared;
use super::threads::Threads;
use super::{Options, claim_check, revocation};
use crate::clock::{Clock, IdSource};
use crate::events::Hub;
use crate::lease::Lease;
use crate::store::Journal;
use crate::tasks::{Policy, Tasks};
use crate::writer::Writer;

impl Engine {
    /// Starts the writer, the threads and the revocation task. Needs a running actix system.
    pub fn start(
        options: Options,
        journal: Arc<dyn Journal>,
        lease: Arc<dyn Lease>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self::start_with_failpoints(options, journal, lease, clock, ids, Arc::new(NoFailpoints))
    }

    /// Like [`Engine::start`], with failpoints that a test supplies.
    pub fn start_with_failpoints(
        options: Options,
        journal: Arc<dyn Journal>,
        lease: Arc<dyn Lease>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        failpoints: Arc<dyn Failpoints>,
    ) -> Self {
        let hub = Hub::default();
        let (writer, writer_task) = Writer::start(journal.clone(), hub.clone(), options.batch);
        let idempotency = IdempotencyRecords::new(journal.clone(), clock.clone(), options.idempotency_ttl);
        let claim_check = claim_check::start(journal.clone());
        let threads = Threads::start(options.threads);
        let (unknown_outcomes, recovering, closing) = Default::default();
        let shared = Arc::new(Shared {
            options,
            journal,
            lease,
            clock,
            ids,
            failpoints,
            hub,
            writer,
            idempotency,
            claim_check,
            unknown_outcomes,
            directory: Directory::default(),
            threads,
            recovering,
            closing,
        });
        let tasks = Tasks::default();
        follow_revocations(&shared, &tasks);
        Self::new(shared, writer_task, tasks)
    }
}

/// Starts the task that ends revoked ownerships. The task does not keep the shared state alive.
fn follow_revocations(shared: &Arc<Shared>, tasks: &Tasks) {
    let (lease, shared) = (shared.lease.clone(), Arc::downgrade(shared));
    // It ends with the engine.
    tasks.spawn("revocation", Policy::Finish, move |stop| {
        let (lease, shared) = (lease.clone(), shared.clone());
        async move {
            stop.run_until_cancelled(revocation::follow(lease, shared)).await;
        }
    });
}

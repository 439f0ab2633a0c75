//! The writer: makes the facts of many actors durable together.
//!
//! Owns the only way into [`Journal::commit`]. Called by room-type actors, which reserve a permit, decide, and submit. It
//! never decides anything and never retries: it waits for one fact, takes what else is there up to a limit in facts and in
//! bytes, commits once, and tells everybody what became of theirs. Under light load a batch is one fact; under load batches grow by
//! themselves. No timer, no added latency. Where the store can do several commits at once there are as many lanes, and a
//! room type always takes the same one.
//!
//! Invariant: outcomes of a room type are told in the order of submission, and nothing is told before its commit has
//! ended.
//! Limits: [`QUEUE`] places; who finds none is told so before anything is decided. A fact whose caller has stopped waiting
//! before it was sent to the store is withdrawn, with what its room type has submitted since. When a commit fails, the
//! whole batch hears about it; the actors then recover from the store.

mod commit_loop;

use std::sync::Arc;

use futures_util::future::{join_all, select_all};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::domain::RoomTypeId;
use crate::events::Hub;
use crate::store::{CommitEntry, Journal};

/// Facts and answers that can wait for the writer at once.
pub const QUEUE: usize = 16_384;

/// Bytes of facts that one commit gathers, by the estimate of [`CommitEntry::bytes`]. A usual booking has 3 KiB, so that a
/// batch of the default size (256 facts) stays far below. The largest bookings have some megabytes: without this limit a
/// batch of them would need gigabytes of memory for its statement, and would exceed what SQLite takes as one argument.
pub const MAX_BATCH_BYTES: usize = 4 * 1_024 * 1_024;

/// What became of a submitted fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable.
    Committed,
    /// Another owner has claimed the room type, or an earlier fact of it was not stored. Neither was this one.
    Fenced,
    /// Its idempotency key was used before. It was not stored.
    Duplicate,
    /// It contradicts what is stored. It was not stored.
    Refused,
    /// The database cannot hold its values. It was not stored.
    Unstorable,
    /// The whole batch was rolled back, or it was withdrawn. It was not stored.
    Lost,
    /// The store did not say whether it was stored.
    UnknownOutcome,
}

/// Who is told an outcome. Called exactly once, on the writer's task: it must not wait.
pub type Settle = Box<dyn FnOnce(Outcome) + Send>;

/// What waits in the queue.
enum Item {
    /// With the time until which somebody waits for it, if anybody does.
    Fact(CommitEntry, Option<Instant>, Settle),
    /// Something to do when everything submitted before has been settled.
    After(Box<dyn FnOnce() + Send>),
    /// End the loop once everything before is settled.
    Finish,
}

impl Item {
    /// Bytes that it brings into a commit.
    fn bytes(&self) -> usize {
        match self {
            Self::Fact(entry, ..) => entry.bytes(),
            Self::After(_) | Self::Finish => 0,
        }
    }
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPermit {
    Full,
    /// The writer has ended: nothing can become durable any more.
    Ended,
}

/// A cheap handle to the writer.
#[derive(Clone)]
pub struct Writer {
    lanes: Arc<[mpsc::Sender<Item>]>,
}

/// A reserved place in the queue: what it is used for cannot be refused any more.
pub struct QueuePermit(mpsc::OwnedPermit<Item>);

impl Writer {
    /// Starts the writer, which tells `hub` what it has committed. It ends with [`Writer::finish`], or when the last
    /// handle is dropped.
    pub fn start(journal: Arc<dyn Journal>, hub: Hub, batch: usize) -> (Self, JoinHandle<()>) {
        let count = journal.lanes().max(1);
        let (lanes, inboxes): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(QUEUE.div_ceil(count))).unzip();
        let run = move |inbox| tokio::spawn(commit_loop::run(journal.clone(), hub.clone(), inbox, batch.max(1)));
        let running: Vec<_> = inboxes.into_iter().map(run).collect();
        let task = tokio::spawn(async move { drop(join_all(running).await) });
        (Self { lanes: lanes.into() }, task)
    }

    /// Ends the writer after everything submitted so far. What comes later is dropped unsettled.
    pub async fn finish(&self) {
        for lane in &*self.lanes {
            let _ = lane.send(Item::Finish).await;
        }
    }

    /// A place in the room type's queue, unless it is full.
    pub fn reserve(&self, room_type: RoomTypeId) -> Result<QueuePermit, NoPermit> {
        let lane = self.lane(room_type).ok_or(NoPermit::Ended)?;
        lane.clone().try_reserve_owned().map(QueuePermit).map_err(|error| match error {
            TrySendError::Full(_) => NoPermit::Full,
            TrySendError::Closed(_) => NoPermit::Ended,
        })
    }

    /// Waits until everything a room type has submitted so far has been settled, or the writer has ended.
    pub async fn drained(&self, room_type: RoomTypeId) {
        let (settled, wait) = oneshot::channel();
        let settled = move || {
            let _ = settled.send(());
        };
        let Some(lane) = self.lane(room_type) else { return };
        if lane.send(Item::After(Box::new(settled))).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Facts and answers that wait to be taken up, in each lane.
    pub fn waiting(&self) -> Vec<usize> {
        self.lanes.iter().map(|lane| lane.max_capacity() - lane.capacity()).collect()
    }

    /// Whether nothing can be submitted any more.
    pub fn has_ended(&self) -> bool {
        self.lanes.iter().any(mpsc::Sender::is_closed)
    }

    /// Waits until a lane has ended.
    pub async fn ended(&self) {
        let lanes = self.lanes.iter().map(|lane| Box::pin(lane.closed()));
        if self.lanes.is_empty() {
            return;
        }
        select_all(lanes).await;
    }

    /// The same for a room type always: the end of its id is random.
    fn lane(&self, room_type: RoomTypeId) -> Option<&mpsc::Sender<Item>> {
        let lanes = u128::try_from(self.lanes.len()).ok()?;
        let lane = room_type.0.as_u128().checked_rem(lanes)?;
        self.lanes.get(usize::try_from(lane).ok()?)
    }
}

impl QueuePermit {
    /// Submits a fact. It is withdrawn where it has not been sent to the store by `until`.
    pub fn submit(self, entry: CommitEntry, until: Option<Instant>, settle: Settle) {
        self.0.send(Item::Fact(entry, until, settle));
    }

    /// Runs `then` when everything submitted so far has been settled.
    pub fn after(self, then: impl FnOnce() + Send + 'static) {
        self.0.send(Item::After(Box::new(then)));
    }
}

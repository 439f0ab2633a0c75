//! The writer: makes the facts of many actors durable together (group commit).
//!
//! **What it owns.** The only way into [`Journal::commit`].
//!
//! **Who calls it.** Room-type actors. An actor reserves a [`QueuePermit`], decides, and submits the fact with a callback
//! for its [`Outcome`].
//!
//! **What it never does.** It decides nothing and retries nothing.
//!
//! # How it works
//!
//! The writer waits for one fact, takes the others that are queued up to a limit, commits them once, publishes them to the
//! hub, and then reports every outcome. Under light load a batch is one fact. Under load batches grow by themselves. There
//! is no timer, so it adds no latency. A store that can do several commits at once gets as many lanes. A room type always
//! uses the same lane.
//!
//! # Invariants
//!
//! - The outcomes of a room type are reported in the order of submission.
//! - No outcome is reported before its commit has ended.
//!
//! # Limits
//!
//! - [`QUEUE`] places. An actor that gets no permit refuses its request before the decision.
//! - A batch is limited in facts ([`crate::engine::Options::batch`]) and in bytes ([`MAX_BATCH_BYTES`]).
//! - A fact is withdrawn if its caller stopped waiting before the fact was sent to the store. Later facts of its room type
//!   are withdrawn with it.
//!
//! # Failure
//!
//! When a commit fails, its whole batch gets that outcome, and the actors recover from the store. A store that panics
//! leaves an unknown outcome.
//!
//! # How to add an outcome
//!
//! Add it to [`Outcome`] and to [`crate::store::Verdict`], and handle it in `engine/room_type/recovery.rs`.

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

/// Facts and answers that can be queued, in all lanes together.
pub const QUEUE: usize = 16_384;

/// The bytes of facts in one commit, by the estimate of [`CommitEntry::bytes`]. A usual booking has about 5 KiB, so a
/// batch of the default size (256 facts) stays below. The largest bookings have some megabytes. Without this limit a
/// batch of them would need gigabytes of memory, and would exceed what SQLite accepts as one argument.
pub const MAX_BATCH_BYTES: usize = 4 * 1_024 * 1_024;

/// The outcome of a submitted fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The fact is durable.
    Committed,
    /// Another owner has claimed the room type, or an earlier fact of the room type was not stored. This fact was not
    /// stored either.
    Fenced,
    /// Its idempotency key is already used. The fact was not stored.
    Duplicate,
    /// A constraint forbids the fact. It was not stored.
    Refused,
    /// The database cannot hold its values. The fact was not stored.
    Unstorable,
    /// The batch was rolled back, or the fact was withdrawn. It was not stored.
    Lost,
    /// The outcome is unknown: the fact may be stored or not.
    UnknownOutcome,
}

/// Receives the outcome of a fact. Called exactly once, on the writer's task; it must not block.
pub type OnOutcome = Box<dyn FnOnce(Outcome) + Send>;

/// An item in the queue.
enum Item {
    /// A fact, with the time until which its caller waits, if there is a caller.
    Fact(CommitEntry, Option<Instant>, OnOutcome),
    /// Runs after the outcome of every earlier item was reported.
    After(Box<dyn FnOnce() + Send>),
    /// Ends the loop after every earlier item.
    Finish,
}

impl Item {
    /// The bytes of this item in a commit.
    fn bytes(&self) -> usize {
        match self {
            Self::Fact(entry, ..) => entry.bytes(),
            Self::After(_) | Self::Finish => 0,
        }
    }
}

/// Why no permit was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPermit {
    Full,
    /// The writer has ended: no fact can be committed any more.
    Ended,
}

/// A cheap handle to the writer.
#[derive(Clone)]
pub struct Writer {
    lanes: Arc<[mpsc::Sender<Item>]>,
}

/// A reserved place in the queue. Using it cannot fail.
pub struct QueuePermit(mpsc::OwnedPermit<Item>);

impl Writer {
    /// Starts the writer. It publishes committed facts to `hub`, and ends with [`Writer::finish`] or when the last
    /// handle is dropped.
    pub fn start(journal: Arc<dyn Journal>, hub: Hub, batch: usize) -> (Self, JoinHandle<()>) {
        let count = journal.lanes().max(1);
        let (lanes, inboxes): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(QUEUE.div_ceil(count))).unzip();
        let run = move |inbox| tokio::spawn(commit_loop::run(journal.clone(), hub.clone(), inbox, batch.max(1)));
        let running: Vec<_> = inboxes.into_iter().map(run).collect();
        let task = tokio::spawn(async move { drop(join_all(running).await) });
        (Self { lanes: lanes.into() }, task)
    }

    /// Ends the writer after everything submitted so far. Later items are dropped without an outcome.
    pub async fn finish(&self) {
        for lane in &*self.lanes {
            let _ = lane.send(Item::Finish).await;
        }
    }

    /// Reserves a place in the queue of a room type.
    pub fn reserve(&self, room_type: RoomTypeId) -> Result<QueuePermit, NoPermit> {
        let lane = self.lane(room_type).ok_or(NoPermit::Ended)?;
        lane.clone().try_reserve_owned().map(QueuePermit).map_err(|error| match error {
            TrySendError::Full(_) => NoPermit::Full,
            TrySendError::Closed(_) => NoPermit::Ended,
        })
    }

    /// Waits until the outcomes of all facts that a room type has submitted are reported, or the writer has ended.
    pub async fn drained(&self, room_type: RoomTypeId) {
        let (done, wait) = oneshot::channel();
        let report = move || {
            let _ = done.send(());
        };
        let Some(lane) = self.lane(room_type) else { return };
        if lane.send(Item::After(Box::new(report))).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Number of queued items, for each lane.
    pub fn waiting(&self) -> Vec<usize> {
        self.lanes.iter().map(|lane| lane.max_capacity() - lane.capacity()).collect()
    }

    /// Whether the writer has ended.
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

    /// The lane of a room type. The end of an id is random, so lanes are used evenly.
    fn lane(&self, room_type: RoomTypeId) -> Option<&mpsc::Sender<Item>> {
        let lanes = u128::try_from(self.lanes.len()).ok()?;
        let lane = room_type.0.as_u128().checked_rem(lanes)?;
        self.lanes.get(usize::try_from(lane).ok()?)
    }
}

impl QueuePermit {
    /// Submits a fact. It is withdrawn if its commit has not begun by `until`.
    pub fn submit(self, entry: CommitEntry, until: Option<Instant>, on_outcome: OnOutcome) {
        self.0.send(Item::Fact(entry, until, on_outcome));
    }

    /// Runs `then` after the outcome of every earlier item was reported.
    pub fn after(self, then: impl FnOnce() + Send + 'static) {
        self.0.send(Item::After(Box::new(then)));
    }
}

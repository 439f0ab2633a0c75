//! The engine: one supervised actor per room type, and the handle that sends requests to them.
//!
//! **What it owns.** The actors, their directory, their threads and their timers. No address and no channel leaves this
//! folder.
//!
//! **Who calls it.** `http/`, `cli/`, housekeeping and benches, through [`Engine`]. Its methods are plain async functions.
//!
//! **What it never does.** It never writes to the store itself. Actors decide in memory, [`crate::writer`] makes facts
//! durable, and an answer leaves only after everything that it depends on is durable.
//!
//! # The way of a request
//!
//! 1. `handle` sets a deadline (`deadline`). If the request has an idempotency key, `idempotency` looks the key up and
//!    joins a request that is already in progress under it.
//! 2. `handle` finds the room type's actor in the `directory`, or starts one on one of the `threads`. A room type that
//!    another node owns is [`Error::Elsewhere`]: `http/` forwards the request, and the other node uses
//!    [`Engine::forwarded`].
//! 3. A new actor begins an `ownership`: it acquires the lease, claims the token in the store, and loads the room type.
//! 4. The actor (`room_type`) asks the domain for a decision and applies the fact in memory at once. The fact then goes
//!    to the writer.
//! 5. The writer reports the outcome. The actor answers the caller, or recovers (`room_type/recovery`).
//!
//! Answers without a commit, such as refusals, follow the rules in `room_type/answer`.
//!
//! # Invariants
//!
//! - A room type has at most one actor on this node. An actor of another node is fenced by the store.
//! - A decided request is finished, whether or not its caller still waits. A request that is older than
//!   [`Options::answer_within`], or whose client is gone, is never decided.
//! - An owner that may have been replaced without knowing it asks the store before it answers from memory.
//!
//! # Limits
//!
//! At most [`Options::mailbox`] requests wait for an actor. Further ones are [`Error::Busy`].
//!
//! # Failure
//!
//! After a panic, a failed or fenced commit, or an unknown outcome, the actor drops its memory. It claims a higher
//! token and reloads from the store. What callers get depends on the failure:
//!
//! - Unknown outcome: the store says, after the claim, whether it has the fact.
//! - Batch rolled back: [`Error::Interrupted`]. A retry with the same idempotency key is safe.
//! - Fact refused by the database: [`Error::Unstorable`]. Only this fact is left out. Facts that were decided on top of
//!   it are decided again, and for a while the actor waits for each commit before the next decision.
//!
//! A lost lease ends the actor at once. A room type that another node should own is given back after the requests that
//! were begun (`revocation`).
//!
//! # How the parts depend on each other
//!
//! From bottom to top: `message`, `deadline`, `failpoint`, `unknown_outcomes` and `threads` stand alone. `batch_loader`
//! carries `idempotency` and `claim_check`. `directory` keeps addresses. `shared` bundles all of these, `ownership` uses
//! it, and `room_type` uses both. `revocation` works on `shared`. `handle` sends requests; `settings`, `creation`, `hotels`
//! and `start_recovery` add methods to it. `start` builds everything and is used by nothing else. The only circle is a type
//! name: `directory` holds addresses of the actor type in `room_type`.
//!
//! # How to add a command
//!
//! Add an `Intent` in `message` or a [`Move`](crate::domain::Move), decide it in
//! [`Inventory::decide`](crate::domain::Inventory::decide), and add a method to [`Engine`] in `handle` or `settings`.

mod batch_loader;
mod cache;
mod claim_check;
mod creation;
mod deadline;
mod directory;
pub mod failpoint;
mod handle;
mod hotels;
mod idempotency;
mod message;
mod ownership;
mod revocation;
mod room_type;
mod settings;
mod shared;
mod start;
mod start_recovery;
mod threads;
mod unknown_outcomes;

pub use deadline::Origin;
pub use handle::Engine;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Booking, Refusal};
use crate::lease::{self, Outsider, Peer};
use crate::store::{Answer, Fingerprint, KeyDigest};

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads for actors. With 0, actors run on the caller's thread, for deterministic tests.
    pub threads: usize,
    /// Requests that may wait for one actor, at most.
    pub mailbox: usize,
    /// How long a hold lasts.
    pub hold_ttl: Duration,
    /// How long an actor without requests and holds stays in memory.
    pub idle_after: Duration,
    /// How long idempotency records are kept.
    pub idempotency_ttl: Duration,
    /// How long a caller waits for an answer, at most.
    pub answer_within: Duration,
    /// Facts per commit, at most.
    pub batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(1, 8)),
            mailbox: 1_024,
            hold_ttl: Duration::from_secs(15 * 60),
            idle_after: Duration::from_secs(10 * 60),
            idempotency_ttl: Duration::from_secs(24 * 60 * 60),
            answer_within: Duration::from_secs(10),
            batch: 256,
        }
    }
}

/// An idempotency key. A repeated request with the same key gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub digest: KeyDigest,
    /// Digest of the request. The same key with another fingerprint is [`Error::KeyReused`].
    pub fingerprint: Fingerprint,
}

/// Options of a [`Move`](crate::domain::Move).
#[derive(Debug, Clone, Default)]
pub struct MoveOptions {
    pub key: Option<Key>,
    /// The booking must still be at this version.
    pub expected: Option<u64>,
    /// Decide, but change nothing.
    pub dry_run: bool,
}

/// The answer to a request that can carry an idempotency key.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub answer: Answer,
    /// This is the stored answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// A booking after a command.
#[derive(Debug, Clone)]
pub struct BookingOutcome {
    pub booking: Arc<Booking>,
    /// This is the stored answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// The outcome of a change of nights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightsOutcome {
    pub sequence: u64,
    /// The number of nights that changed, of the room type and of its rate plans.
    pub changed: usize,
}

/// Why a request has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A rule of the domain refuses the request. Nothing changed.
    #[error(transparent)]
    Refused(Arc<Refusal>),
    #[error("there is no such room type")]
    NoSuchRoomType,
    #[error("there is no such booking")]
    NoSuchBooking,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The database refuses a value of the request. Nothing was done. A repeat fails again.
    #[error("the database cannot store these values")]
    Unstorable,
    /// The object has changed since the caller read it. Nothing was done.
    #[error("the object has changed since it was read")]
    Changed,
    /// Too many requests wait for this room type. Nothing was done.
    #[error("too many requests wait for this room type")]
    Busy,
    /// The room type restarted before the request was durable, or the request took too long. A retry with the same
    /// idempotency key is safe.
    #[error("the request was interrupted; retry it with the same idempotency key")]
    Interrupted,
    /// The request reached its deadline before its decision. Nothing was done.
    #[error("the request waited too long; nothing was done")]
    Expired,
    /// Another node owns the room type or should own it. Nothing was done.
    #[error("the room type belongs to node {}", .0.node)]
    Elsewhere(Peer),
    /// The store cannot be reached. Nothing was done.
    #[error("the store is unavailable")]
    Unavailable,
    /// Redis cannot say which node owns the room type. Nothing was done.
    #[error("redis does not say which node owns the room type")]
    NoLease,
    /// This node is no member of its cluster and may own no room type. Nothing was done.
    #[error("this node is no member of its cluster: {0}")]
    Outsider(Outsider),
    /// The engine is shutting down. Nothing was done.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

impl From<lease::Unavailable> for Error {
    fn from(error: lease::Unavailable) -> Self {
        match error {
            lease::Unavailable::Unanswered(_) => Self::NoLease,
            lease::Unavailable::Outsider(outsider) => Self::Outsider(outsider),
        }
    }
}

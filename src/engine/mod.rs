//! The engine: one supervised actor per room type, and the handle through which everybody talks to them.
//!
//! Owns the actors, their directory and the timers. Called by `http/`, `cli/` and benches through [`Engine`], whose
//! methods are plain async functions: no address and no channel leaves this folder. It never writes to the store
//! itself: actors decide in memory, `writer/` makes it durable, and an answer leaves only when everything it is based
//! on is durable.
//!
//! Invariants: one actor per room type at a time on this node (another node's is fenced by the store); at most
//! [`Options::mailbox`] requests wait for an actor, further ones are [`Error::Busy`]; a request that was decided is
//! finished whether or not somebody still listens, and one that is older than [`Options::answer_within`], or whose client
//! is gone, is never decided (`patience`).
//!
//! A room type that another node owns is [`Error::Elsewhere`]: who asked goes there, with [`Engine::forwarded`]. A lease
//! that was lost ends the actor at once, one that another node is to have when everything begun is finished. An owner
//! that may have been replaced without hearing of it asks the store before it answers from memory (`room_type/answer`).
//!
//! When an actor fails (a panic, a failed or fenced commit, a commit in doubt), its memory is thrown away, it claims a
//! higher token and reloads from the store. Callers in doubt are then answered from the store; those whose batch was rolled
//! back get [`Error::Interrupted`] and may try again with the same idempotency key. A fact that the database refuses is
//! left out alone: its caller gets [`Error::Unstorable`], what was decided on top of it is decided again, and for a while
//! nothing is decided on top of what is not stored yet.

mod batch_loader;
mod cache;
mod claim_check;
mod directory;
pub mod failpoint;
mod handle;
mod hotels;
mod idempotency;
mod message;
mod ownership;
mod patience;
mod revocation;
mod room_type;
mod settings;
mod start_recovery;
mod unknown_outcomes;
mod view;

use directory::Depth;
pub use handle::Engine;
use handle::Shared;
pub use patience::Origin;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Amount, Booking, Currency, Date, Night, Refusal, RoomTypeId};
use crate::lease::{self, Outsider, Peer};
use crate::store::{Fingerprint, KeyDigest};

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that actors live on. 0: the caller's own, for deterministic tests.
    pub threads: usize,
    /// Requests that may wait for one actor.
    pub mailbox: usize,
    /// How long a hold lasts.
    pub hold_ttl: Duration,
    /// How long an actor without requests and holds stays in memory.
    pub idle_after: Duration,
    /// How long idempotency keys are remembered.
    pub idempotency_ttl: Duration,
    /// How long a caller waits for an answer.
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

/// An idempotency key: who repeats it gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub digest: KeyDigest,
    /// Of everything the key was used for. Another fingerprint under the same key is [`Error::KeyReused`].
    pub fingerprint: Fingerprint,
}

/// How to do a [`Move`](crate::domain::Move).
#[derive(Debug, Clone, Default)]
pub struct MoveOptions {
    pub key: Option<Key>,
    /// Only if the booking is still at this version.
    pub expected: Option<u64>,
    /// Say what would happen, change nothing.
    pub dry_run: bool,
}

/// A booking after a command.
#[derive(Debug, Clone)]
pub struct BookingOutcome {
    pub booking: Arc<Booking>,
    /// The answer was stored earlier, under the same idempotency key.
    pub replayed: bool,
}

/// What became of a change of nights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightsOutcome {
    pub sequence: u64,
    /// Nights that are different now, of the room type and of its rate plans.
    pub changed: usize,
}

/// The committed nights of a room type.
#[derive(Debug, Clone)]
pub struct View {
    pub room_type_id: RoomTypeId,
    pub currency: Currency,
    /// Facts behind this view.
    pub sequence: u64,
    /// The first night on sale, which is the hotel's current date, and the date after the last one.
    pub on_sale: [Date; 2],
    pub nights: Vec<NightView>,
}

/// One committed night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightView {
    pub date: Date,
    pub night: Night,
    pub physical: u16,
    pub allowance: i16,
    pub free: u16,
    /// No rate plan sells this night, or the room type does not.
    pub closed: bool,
    /// The cheapest open plan's price of one room.
    pub price: Option<Amount>,
}

/// Why a request was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The rules say no. Nothing changed.
    #[error(transparent)]
    Refused(Arc<Refusal>),
    #[error("there is no such room type")]
    NoSuchRoomType,
    #[error("there is no such booking")]
    NoSuchBooking,
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The database does not take what would have to be stored. Nothing was done, and a repeat will not succeed.
    #[error("the database does not take these values")]
    Unstorable,
    /// It is no longer what the caller has seen. Nothing was done.
    #[error("it has changed since it was read")]
    Changed,
    /// Too many requests wait for this room type. Nothing was done.
    #[error("too many requests wait for this room type")]
    Busy,
    /// The room type restarted before the request was durable, or took too long. Repeating it with the same
    /// idempotency key is safe.
    #[error("the request was interrupted; it is safe to repeat it with the same idempotency key")]
    Interrupted,
    /// The request was older than the answer limit before it was decided. Nothing was done.
    #[error("the request waited too long; nothing was done")]
    Expired,
    /// Another node owns the room type, or is to. Nothing was done.
    #[error("the room type is at the node {}", .0.node)]
    Elsewhere(Peer),
    /// The store cannot be reached. Nothing was done.
    #[error("the store is unavailable")]
    Unavailable,
    /// Nobody can say who owns the room type. Nothing was done.
    #[error("redis cannot be asked who owns the room type")]
    NoLease,
    /// This node may own nothing. Nothing was done.
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

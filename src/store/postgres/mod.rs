//! The shared store: a PostgreSQL database, for one node or many.
//!
//! Owns its connections: a few that only commit, and a pool for everything else, so that no list and no report delays a
//! booking. Called through the traits of [`super`]; opened and migrated by the composition root. It decides nothing. Its
//! checks (tokens, sequence numbers, idempotency keys, the CHECKs of the schema) only stop what a correct engine never sends.
//!
//! Here are the statements of the hot path and those that lock: commit, claim, load, the feed, the look-up of idempotency
//! keys. All others are in [`super::records`], and `binder` runs them.
//!
//! Invariants: a commit locks its room types first, always in the same order, and so does a claim: a token is never raised
//! during a commit that relies on the old one. Several statements that belong together read one snapshot. A database that
//! is not ours is never changed.
//!
//! Limits: as many connections as the settings say. Every statement, every wait for a lock and every silence of the server
//! ends. After a failure the connection is closed unless its transaction has ended cleanly, and the next request opens
//! another one: a server that comes back is used again without a restart.
//!
//! The twin of [`super::sqlite`], file by file, except for what only one of the two needs: here `circuit`, `members`,
//! `pool`, `session`, `commit/rows` and `commit/settings`, there `writer` and `commit/json`. Statements take many rows as
//! one array per column.

mod binder;
mod circuit;
mod claim;
mod columns;
mod commit;
mod feed;
mod idempotency;
mod journal;
mod load;
mod members;
mod migrate;
mod open;
mod pool;
mod session;
mod trial;

pub(in crate::store) use binder::{DIALECT, Handle};
pub use open::{OpenError, Options};

use commit::Contested;
use pool::Pool;
use session::Session;

use super::writable::Writable;

/// A PostgreSQL database as a [`super::Store`].
pub struct Postgres {
    /// A connection for each lane of commits.
    writer: Pool,
    contested: Contested,
    pool: Pool,
    /// Counts heartbeats, and so checks that the server can be reached, also while all other connections are busy.
    watch: Pool,
    /// Opens connections for long statements.
    unhurried: Session,
    writable: Writable,
}

#[cfg(test)]
mod tests;

//! The shared store: a PostgreSQL database, for one node or many.
//!
//! Owns its connections: a few that only commit, and a pool for everything else, so that no list and no report stands in
//! a booking's way. Called through the traits of [`super`]; opened and migrated by the composition root. It never decides
//! anything: what it checks (tokens, sequence numbers, idempotency keys, the CHECKs of the schema) only ever stops what
//! should not have come.
//!
//! Invariants: a commit locks its room types first, always in the same order, and so does a claim, so that a token is
//! never raised under a commit that goes by the old one; what is read in several statements is read in one snapshot; a
//! database that is not ours is never changed.
//!
//! Limits: as many connections as the settings say; every statement, every wait for a lock and every silence of the
//! server has an end. When something fails, the connection is thrown away unless its transaction has ended cleanly, and
//! the next one opens a fresh one: a server that comes back is used again by itself.
//!
//! The twin of [`super::sqlite`], file by file, but for what only one of the two needs: here `circuit`, `pool`, `session`,
//! `commit/rows` and `commit/settings`, there `writer` and `commit/json`. Statements take many rows as one array per
//! column.

mod bookings;
mod catalogue;
mod circuit;
mod claim;
mod columns;
mod commit;
mod evidence;
mod feed;
mod idempotency;
mod journal;
mod list;
mod load;
mod migrate;
mod names;
mod open;
mod pool;
mod reports;
mod session;
mod stock;
mod trial;

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
    /// Says whether the server can be reached, however busy the others are.
    watch: Pool,
    /// For what may take its time.
    unhurried: Session,
    writable: Writable,
}

#[cfg(test)]
mod tests;

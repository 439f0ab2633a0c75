//! The embedded store: one SQLite file, in WAL mode, with every commit synced to disk.
//!
//! Owns the file, its one writing connection and a few reading ones. Called through the traits of [`super`]; opened and
//! migrated by the composition root. It never decides anything: what it checks (tokens, sequence numbers, idempotency
//! keys, the CHECKs of the schema) only ever stops what should not have come.
//!
//! Invariants: one write at a time, each a transaction that took the write lock first; a reader sees one committed
//! state; a file that is not ours is never changed.
//!
//! When something fails, the writing connection is thrown away unless its transaction has ended cleanly, and the next
//! write opens a fresh one: SQLite then rolls back what was left open.
//!
//! The SQL of more than one table is in `.sql` files beside the code that uses it. Statements take many rows as one
//! JSON argument, because a statement costs more than a row.

mod attempts;
mod bookings;
mod catalogue;
mod claim;
mod columns;
mod commit;
mod evidence;
mod feed;
mod ledger;
mod list;
mod load;
mod migrate;
mod names;
mod open;
mod reports;
mod stock;
mod writer;

pub use open::OpenError;

use sqlx::SqlitePool;

use writer::Writer;

/// A SQLite file as a [`super::Store`].
pub struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
}

#[cfg(test)]
mod tests;

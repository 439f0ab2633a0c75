//! The embedded store: one SQLite file, in WAL mode, with every commit synced to disk.
//!
//! Owns the file, its one writing connection and a few reading ones. Called through the traits of [`super`]; opened and
//! migrated by the composition root. It decides nothing. Its checks (tokens, sequence numbers, idempotency keys, the CHECKs
//! of the schema) only stop what a correct engine never sends.
//!
//! Here are the statements of the hot path and those that lock: commit, claim, load, the feed, the look-up of idempotency
//! keys. All others are in [`super::records`], and `binder` runs them.
//!
//! Invariants: one write at a time, each a transaction that took the write lock first; a reader sees one committed
//! state; a file that is not ours is never changed; one program changes the file at a time (`hold`); a write is not
//! acknowledged when the file has been moved, replaced or deleted (`watch`).
//!
//! When a write fails, its connection is closed unless its transaction has ended cleanly. The next write opens another one,
//! and SQLite rolls back what was left open.
//!
//! Long statements are in `.sql` files beside the code that uses them. Statements take many rows as one JSON argument,
//! because a statement costs more than a row.

mod backup;
mod binder;
mod claim;
mod columns;
mod commit;
mod feed;
mod hold;
mod idempotency;
mod in_use;
mod journal;
mod load;
mod migrate;
mod open;
mod watch;
mod writer;

pub use backup::BackupError;
pub(in crate::store) use binder::{DIALECT, Handle};
pub use open::OpenError;

use std::path::PathBuf;

use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use hold::Hold;
use writer::Writer;

/// A SQLite file as a [`super::Store`].
pub struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
    path: PathBuf,
    /// The number of its last migration when it was opened. For a file opened for writing, the newest number.
    schema: i64,
    /// The lock of a program that uses the file alone.
    hold: Mutex<Option<Hold>>,
    /// An unused connection that keeps the log open. Without it, SQLite would recreate the log when a failed writer was
    /// the last to have it open.
    anchor: Mutex<Option<SqliteConnection>>,
    incomplete: Option<String>,
}

#[cfg(test)]
mod tests;

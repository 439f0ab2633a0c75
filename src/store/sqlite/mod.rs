//! The embedded store: one SQLite file, in WAL mode, with every commit synced to disk.
//!
//! Owns the file, its one writing connection and a few reading ones. Called through the traits of [`super`]; opened and
//! migrated by the composition root. It never decides anything: what it checks (tokens, sequence numbers, idempotency
//! keys, the CHECKs of the schema) only ever stops what should not have come.
//!
//! Invariants: one write at a time, each a transaction that took the write lock first; a reader sees one committed
//! state; a file that is not ours is never changed; one program changes the file at a time (`hold`); nothing is
//! acknowledged that went into a file which is not at its place any more (`watch`).
//!
//! When something fails, the writing connection is thrown away unless its transaction has ended cleanly, and the next
//! write opens a fresh one: SQLite then rolls back what was left open.
//!
//! The SQL of more than one table is in `.sql` files beside the code that uses it. Statements take many rows as one
//! JSON argument, because a statement costs more than a row.

mod backup;
mod bookings;
mod catalogue;
mod claim;
mod columns;
mod commit;
mod evidence;
mod feed;
mod hold;
mod idempotency;
mod in_use;
mod journal;
mod list;
mod load;
mod migrate;
mod names;
mod open;
mod reports;
mod stock;
mod watch;
mod writer;

pub use backup::BackupError;
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
    /// The number of its last migration when it was opened; of a file that is opened to be written, the newest.
    schema: i64,
    /// The lock of a program that uses it alone.
    hold: Mutex<Option<Hold>>,
    /// Keeps the log open, and does nothing else. Without it, SQLite would make the log anew when a writer that failed was
    /// the last to have it open.
    anchor: Mutex<Option<SqliteConnection>>,
    incomplete: Option<String>,
}

#[cfg(test)]
mod tests;

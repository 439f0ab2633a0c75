//! The in-use mark, by which a copy without its log is recognised.
//!
//! While a program uses the database alone, `PRAGMA user_version` is 1 in the file itself, not only in the log. An
//! orderly end sets it to 0. After a crash the log is beside the file. So a file with the mark and without a log is a
//! copy made with `cp` while a server ran, or has lost its log: commits after the last checkpoint are missing. A copy
//! made by `innkeeper backup` has no mark.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, Row};

use super::Sqlite;
use super::watch::beside;
use crate::store::Error;

const IN_USE: i64 = 1;
const MARK: &str = "PRAGMA user_version = 1";
pub(super) const UNMARK: &str = "PRAGMA user_version = 0";
/// Moves the mark from the log into the file, unless a reader still uses an older state.
const INTO_THE_FILE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Writes a page without a change.
const TRIAL: &str = "UPDATE event_trim SET position = position";

/// The message for an operator about such a file.
fn incomplete(path: &Path) -> String {
    let log = beside(path, "-wal");
    format!(
        "{path:?} was in use when it was copied, and its log {log:?} is not beside it: what was committed after the last \
         checkpoint is missing. Copy a running database with `innkeeper backup`"
    )
}

impl Sqlite {
    /// Remembers and logs that this file is a copy without its log.
    pub(super) async fn note_missing_log(&mut self, log_is_missing: bool) {
        if log_is_missing && self.was_in_use().await {
            let why = incomplete(&self.path);
            tracing::warn!("{why}");
            self.incomplete = Some(why);
        }
    }

    /// Sets the mark when the schema is up to date, so that a copy has at least the schema. If it fails, the database
    /// can still be used, but a copy would not be recognised.
    pub(super) async fn begin_use(&self) {
        if self.hold.lock().await.is_none() {
            return;
        }
        let marked = async {
            let mut turn = self.writer.turn().await?;
            sqlx::query(MARK).execute(&mut turn.connection).await?;
            sqlx::query(INTO_THE_FILE).execute(&mut turn.connection).await?;
            turn.give_back()
        };
        note(marked.await, "cannot mark the database as being in use");
    }

    /// Removes the mark.
    pub(super) async fn end_use(&self) {
        let unmarked = async {
            let mut turn = self.writer.turn().await?;
            sqlx::query(UNMARK).execute(&mut turn.connection).await?;
            turn.give_back()
        };
        note(unmarked.await, "cannot mark the database as not being in use any more");
    }

    async fn was_in_use(&self) -> bool {
        let row = sqlx::query("PRAGMA user_version").fetch_one(&self.readers).await;
        row.and_then(|row| row.try_get(0)).is_ok_and(|mark: i64| mark == IN_USE)
    }

    /// A trial write: space beside the database, and a transaction.
    pub(super) async fn try_to_write(&self) -> Result<(), Error> {
        self.writer.watch.try_room().await.map_err(sqlx::Error::Io)?;
        self.writer.execute(sqlx::query(TRIAL)).await?;
        Ok(())
    }

    /// A reader leaves an empty log and its index beside a file that no other process has open. Opening the file once
    /// for writing lets SQLite remove them. A log with content stays: a crash left it for the next server.
    pub(super) async fn tidy_up(&self) {
        let log = std::fs::metadata(beside(&self.path, "-wal"));
        if log.is_ok_and(|log| log.len() == 0) {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.path);
            if let Ok(mut connection) = options.connect().await {
                let _ = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await;
                let _ = connection.close().await;
            }
        }
    }
}

fn note(done: Result<(), sqlx::Error>, what: &'static str) {
    if let Err(error) = done {
        tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}

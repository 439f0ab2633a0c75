//! The one connection that writes.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use super::watch::Watch;
use crate::store::sql;

/// Lends its connection to one writer at a time.
///
/// A connection that is not given back is closed, and SQLite rolls its transaction back. So neither an error nor a caller
/// that stops waiting leaves a transaction open for the next writer. The store then checks whether it can still be written.
///
/// A write is begun, and acknowledged, only while the database file is the one that was opened.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    idle: Mutex<Option<SqliteConnection>>,
    pub watch: Watch,
}

/// The connection, and the turn to use it.
pub(in crate::store) struct Turn<'w> {
    slot: MutexGuard<'w, Option<SqliteConnection>>,
    pub connection: SqliteConnection,
    unfinished: Unfinished<'w>,
}

/// Suspects the store when it is dropped, unless the connection was returned.
struct Unfinished<'w>(Option<&'w Watch>);

impl Writer {
    /// Without a connection, one is opened when it is needed.
    pub fn new(options: SqliteConnectOptions, connection: Option<SqliteConnection>, watch: Watch) -> Self {
        Self { options, idle: Mutex::new(connection), watch }
    }

    /// Waits for the connection.
    pub async fn turn(&self) -> Result<Turn<'_>, sqlx::Error> {
        self.watch.is_in_place()?;
        let mut slot = self.idle.lock().await;
        let unfinished = Unfinished(Some(&self.watch));
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Turn { slot, connection, unfinished })
    }

    /// Waits for a write under way, and closes the connection.
    pub async fn close(&self) -> Result<(), sqlx::Error> {
        match self.idle.lock().await.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }

    /// Runs one statement in a transaction of its own.
    pub async fn execute(&self, query: Query<'_, sqlx::Sqlite, SqliteArguments>) -> Result<u64, sqlx::Error> {
        let mut turn = self.turn().await?;
        let done: SqliteQueryResult = match query.execute(&mut turn.connection).await {
            Err(error) if sql::contradicts(&error) => {
                turn.take_back();
                return Err(error);
            }
            done => done?,
        };
        turn.give_back()?;
        Ok(done.rows_affected())
    }
}

impl<'w> Turn<'w> {
    /// Returns a connection that has no transaction open. An error: it wrote into a file that has been moved, replaced or
    /// deleted.
    pub fn give_back(self) -> Result<(), sqlx::Error> {
        let watch = self.take_back();
        watch.map_or(Ok(()), Watch::is_in_place)
    }

    /// Returns a connection whose transaction was rolled back.
    pub(super) fn take_back(self) -> Option<&'w Watch> {
        let Self { mut slot, connection, mut unfinished } = self;
        *slot = Some(connection);
        unfinished.0.take()
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(watch) = self.0 {
            watch.writable.suspect();
        }
    }
}

//! The one connection that writes.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

/// Lends its connection to one writer at a time.
///
/// A connection that is not given back is closed, and SQLite rolls back what it had begun. So neither an error nor a
/// caller that stops waiting can leave a transaction open for the next one.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    idle: Mutex<Option<SqliteConnection>>,
}

/// The connection, and the turn to use it.
pub(super) struct Turn<'w> {
    slot: MutexGuard<'w, Option<SqliteConnection>>,
    pub connection: SqliteConnection,
}

impl Writer {
    pub fn new(options: SqliteConnectOptions, connection: SqliteConnection) -> Self {
        Self { options, idle: Mutex::new(Some(connection)) }
    }

    /// Waits for the connection.
    pub async fn turn(&self) -> Result<Turn<'_>, sqlx::Error> {
        let mut slot = self.idle.lock().await;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Turn { slot, connection })
    }

    /// Runs one statement in a transaction of its own.
    pub async fn execute(&self, query: Query<'_, sqlx::Sqlite, SqliteArguments>) -> Result<u64, sqlx::Error> {
        let mut turn = self.turn().await?;
        let done: SqliteQueryResult = query.execute(&mut turn.connection).await?;
        turn.give_back();
        Ok(done.rows_affected())
    }
}

impl Turn<'_> {
    /// Returns a connection that has no transaction open.
    pub fn give_back(mut self) {
        *self.slot = Some(self.connection);
    }
}

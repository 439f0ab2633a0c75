//! The binder: runs one SQL text on SQLite and on PostgreSQL.
//!
//! Called by [`super::records`], whose functions take a [`Connection`] and know no driver. A caller asks a [`Database`]
//! for a reader, a snapshot or a writer; the database decides which of its connections that is. Statements of the hot
//! path and statements that lock are not run here: they are in [`super::sqlite`] and [`super::postgres`].
//!
//! Invariant: a [`Value`] is encoded in one place per driver (`sqlite/binder.rs`, `postgres/binder.rs`), and a [`Row`] is
//! read through `Columns`. Where the databases need other words, the words are in [`Dialect`].
//!
//! On failure: a transaction that is not committed leaves no trace. A statement that the database refuses rolls its
//! transaction back at once; later statements of it fail.
//!
//! To add a table: write its statements in one file of [`super::records`], with `$1` parameters, and list them in
//! `records/statements.rs`, so that both databases show their query plans to a test.

mod dialect;
mod row;
mod statement;
#[cfg(test)]
pub mod tests;

pub use dialect::Dialect;
pub use row::Row;
pub use statement::{Statement, Value};

use std::ops::{Deref, DerefMut};

use async_trait::async_trait;

use super::Error;
use super::sql::Columns;
use super::{postgres, sqlite};

/// A database that runs the statements of [`super::records`].
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// A connection for statements that read, each in a transaction of its own.
    async fn reader(&self) -> Result<Connection<'_>, Error>;

    /// A transaction whose statements all read one committed state.
    async fn snapshot(&self) -> Result<Transaction<'_>, Error>;

    /// Like [`Database::snapshot`], for statements that read whole tables and may take an hour.
    async fn whole_tables(&self) -> Result<Transaction<'_>, Error>;

    /// A transaction that writes.
    async fn writer(&self) -> Result<Transaction<'_>, Error>;

    /// Whether the database answers, and takes writes as far as is known.
    async fn probe(&self) -> Result<(), Error>;
}

/// A connection that runs one statement after the other.
pub struct Connection<'c>(Handle<'c>);

/// The connection of one driver.
pub(super) enum Handle<'c> {
    Sqlite(sqlite::Handle<'c>),
    Postgres(postgres::Handle<'c>),
}

impl Connection<'_> {
    /// The words of this database.
    pub fn dialect(&self) -> &'static Dialect {
        match &self.0 {
            Handle::Sqlite(_) => &sqlite::DIALECT,
            Handle::Postgres(_) => &postgres::DIALECT,
        }
    }

    /// Every row that the statement returns.
    pub async fn list<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows: Vec<Row> = match &mut self.0 {
            Handle::Sqlite(handle) => handle.all(statement).await?.into_iter().map(Row::Sqlite).collect(),
            Handle::Postgres(handle) => handle.all(statement).await?.into_iter().map(Row::Postgres).collect(),
        };
        rows.iter().map(read).collect()
    }

    /// The first row that the statement returns.
    pub async fn find<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.list(statement, read).await?.into_iter().next())
    }

    /// How many rows the statement changed.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, Error> {
        Ok(match &mut self.0 {
            Handle::Sqlite(handle) => handle.execute(statement).await?,
            Handle::Postgres(handle) => handle.execute(statement).await?,
        })
    }
}

/// A connection whose statements are kept together or not at all. Dropping it rolls it back.
#[must_use]
pub struct Transaction<'c>(Connection<'c>);

impl Transaction<'_> {
    /// Ends it, and makes durable what it has written.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0.0 {
            Handle::Sqlite(handle) => handle.commit().await?,
            Handle::Postgres(handle) => handle.commit().await?,
        }
        Ok(())
    }

    /// Ends it, and keeps nothing of what it has written.
    pub async fn roll_back(self) {
        match self.0.0 {
            Handle::Sqlite(mut handle) => handle.roll_back().await,
            Handle::Postgres(mut handle) => handle.roll_back().await,
        }
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = Connection<'c>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'c> From<Handle<'c>> for Connection<'c> {
    fn from(handle: Handle<'c>) -> Self {
        Self(handle)
    }
}

impl<'c> From<Handle<'c>> for Transaction<'c> {
    fn from(handle: Handle<'c>) -> Self {
        Self(Connection(handle))
    }
}

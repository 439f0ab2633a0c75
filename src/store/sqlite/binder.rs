//! How SQLite runs the statements of [`crate::store::records`].

use std::mem;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::Sqlite;
use super::writer::Turn;
use crate::store::db::{self, Connection, Database, Dialect, Statement, Transaction, Value};
use crate::store::{Error, sql};

/// The words of SQLite. It has one writer, so the next change of a hotel has the next number.
pub(in crate::store) static DIALECT: Dialect = Dialect {
    change: "(SELECT coalesce(max(changed), 0) + 1 FROM hotels)",
    calendar_change: "(SELECT coalesce(max(position), 0) FROM events)",
    booking: include_str!("booking.sql"),
    inventory: include_str!("inventory.sql"),
    email: "lower(b.email)",
    skip_locked: "",
    has_types: false,
    names_indexes: true,
};

/// A connection lent to [`db`].
pub(in crate::store) enum Handle<'c> {
    Reader(PoolConnection<sqlx::Sqlite>),
    Snapshot(sqlx::Transaction<'static, sqlx::Sqlite>),
    Writer(Turn<'c>),
    /// The transaction was rolled back.
    Over,
}

#[async_trait]
impl Database for Sqlite {
    async fn reader(&self) -> Result<Connection<'_>, Error> {
        let connection = self.readers.acquire().await?;
        Ok(db::Handle::Sqlite(Handle::Reader(connection)).into())
    }

    async fn snapshot(&self) -> Result<Transaction<'_>, Error> {
        let reading = self.readers.begin().await?;
        Ok(db::Handle::Sqlite(Handle::Snapshot(reading)).into())
    }

    async fn whole_tables(&self) -> Result<Transaction<'_>, Error> {
        self.snapshot().await
    }

    async fn writer(&self) -> Result<Transaction<'_>, Error> {
        let mut turn = self.writer.turn().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut turn.connection).await?;
        Ok(db::Handle::Sqlite(Handle::Writer(turn)).into())
    }

    async fn probe(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        self.writer.watch.is_in_place()?;
        self.writer.watch.writable.check(self.try_to_write()).await
    }
}

impl Handle<'_> {
    pub async fn all(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let rows = encode(statement).fetch_all(self.connection()?).await;
        self.settle(rows).await
    }

    pub async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        let done = encode(statement).execute(self.connection()?).await;
        Ok(self.settle(done).await?.rows_affected())
    }

    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Reader(_) => Ok(()),
            Self::Snapshot(reading) => reading.commit().await,
            Self::Writer(mut turn) => {
                sqlx::query("COMMIT").execute(&mut turn.connection).await?;
                turn.give_back()
            }
            Self::Over => Err(over()),
        }
    }

    /// Ends a transaction that writes. The connection is kept if that succeeds.
    pub async fn roll_back(&mut self) {
        match mem::replace(self, Self::Over) {
            Self::Writer(mut turn) => {
                if sqlx::query("ROLLBACK").execute(&mut turn.connection).await.is_ok() {
                    turn.take_back();
                }
            }
            other => *self = other,
        }
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        match self {
            Self::Reader(connection) => Ok(&mut **connection),
            Self::Snapshot(reading) => Ok(&mut **reading),
            Self::Writer(turn) => Ok(&mut turn.connection),
            Self::Over => Err(over()),
        }
    }

    /// Rolls the transaction back when the database refused a statement of it.
    async fn settle<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if done.as_ref().is_err_and(|error| sql::contradicts(error)) {
            self.roll_back().await;
        }
        done
    }
}

fn over() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction was rolled back".to_owned())
}

/// The statement with its values, as `db/statement.rs` lists them.
fn encode(statement: Statement) -> Query<'static, sqlx::Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(statement.text));
    statement.values.into_iter().fold(query, |query, value| match value {
        Value::Uuid(id) => query.bind(id.map(|id| id.to_string())),
        Value::Text(text) | Value::Json(text) => query.bind(text),
        Value::Integer(number) => query.bind(number),
        Value::Float(number) => query.bind(number),
        Value::Boolean(is) => query.bind(is),
        Value::Date(date) => query.bind(date.map(|date| date.to_string())),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

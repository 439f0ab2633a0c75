//! How PostgreSQL runs the statements of [`crate::store::records`].

use async_trait::async_trait;
use jiff_sqlx::ToSqlx;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgRow, PgTypeInfo};
use sqlx::{AssertSqlSafe, Encode, Type};

use super::Postgres;
use super::pool::{PgQuery, PooledConnection};
use crate::store::db::{self, Connection, Database, Dialect, Statement, Transaction, Value};
use crate::store::writable::Writable;
use crate::store::{Error, sql};

/// An expression: the position of a change that this transaction makes (see `event_positions` in the schema).
const POSITION: &str = "(SELECT base + (pg_current_xact_id()::text::bigint << 12) FROM event_positions)";

/// The words of PostgreSQL.
pub(in crate::store) static DIALECT: Dialect = Dialect {
    change: POSITION,
    calendar_change: POSITION,
    booking: include_str!("booking.sql"),
    inventory: include_str!("inventory.sql"),
    email: "lower(b.email COLLATE \"C\")",
    skip_locked: " FOR UPDATE SKIP LOCKED",
    has_types: true,
    names_indexes: false,
};

/// Ends with the transaction, like the time that [`PooledConnection::take_time`] gives.
const WHOLE_TABLES: &str =
    "SET LOCAL statement_timeout = '1h'; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on";

/// A connection lent to [`db`]. It is absent while a statement runs, and after one that failed: so a connection that may
/// be in the middle of something is closed, and the server rolls its transaction back.
pub(in crate::store) struct Handle<'c> {
    connection: Option<PooledConnection>,
    use_for: Use<'c>,
}

enum Use<'c> {
    Reader,
    Snapshot,
    /// A failed write is reported to this, so that readiness knows it.
    Writer(&'c Writable),
}

#[async_trait]
impl Database for Postgres {
    async fn reader(&self) -> Result<Connection<'_>, Error> {
        Ok(Handle::of(self.pool.lend().await?, Use::Reader).into())
    }

    async fn snapshot(&self) -> Result<Transaction<'_>, Error> {
        Ok(Handle::of(self.pool.snapshot().await?, Use::Snapshot).into())
    }

    async fn whole_tables(&self) -> Result<Transaction<'_>, Error> {
        let mut reading = self.pool.snapshot().await?;
        reading.say(WHOLE_TABLES).await?;
        reading.take_time();
        Ok(Handle::of(reading, Use::Snapshot).into())
    }

    async fn writer(&self) -> Result<Transaction<'_>, Error> {
        Ok(Handle::of(self.pool.begin("BEGIN").await?, Use::Writer(&self.writable)).into())
    }

    async fn probe(&self) -> Result<(), Error> {
        self.pool.execute(sqlx::query("SELECT 1")).await?;
        self.writable.check(self.try_to_write()).await
    }
}

impl<'c> Handle<'c> {
    fn of(connection: PooledConnection, use_for: Use<'c>) -> db::Handle<'c> {
        db::Handle::Postgres(Self { connection: Some(connection), use_for })
    }

    pub async fn all(&mut self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut connection = self.take()?;
        let rows = connection.all(encode(statement)).await;
        self.settle(connection, rows).await
    }

    pub async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        let mut connection = self.take()?;
        let changed = connection.execute(encode(statement)).await;
        self.settle(connection, changed).await
    }

    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let committed = self.take()?.end().await;
        if committed.is_err() {
            self.suspect();
        }
        committed
    }

    /// Ends the transaction. The connection is kept if that succeeds.
    pub async fn roll_back(&mut self) {
        if let Ok(connection) = self.take() {
            roll_back(connection).await;
        }
    }

    fn take(&mut self) -> Result<PooledConnection, sqlx::Error> {
        let over = || sqlx::Error::Protocol("the transaction was rolled back".to_owned());
        self.connection.take().ok_or_else(over)
    }

    /// Keeps the connection after a statement that succeeded, and returns it after one that the server refused.
    async fn settle<T>(
        &mut self,
        connection: PooledConnection,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        match &done {
            Ok(_) => self.connection = Some(connection),
            Err(error) if sql::contradicts(error) => roll_back(connection).await,
            Err(_) => self.suspect(),
        }
        done
    }

    fn suspect(&self) {
        if let Use::Writer(writable) = self.use_for {
            writable.suspect();
        }
    }
}

/// Also where no transaction is open, which the server only notes.
async fn roll_back(mut connection: PooledConnection) {
    if connection.say("ROLLBACK").await.is_ok() {
        connection.give_back();
    }
}

impl Drop for Handle<'_> {
    /// A reader has no transaction open between two statements.
    fn drop(&mut self) {
        if let (Use::Reader, Some(connection)) = (&self.use_for, self.connection.take()) {
            connection.give_back();
        }
    }
}

/// The statement with its values, as `db/statement.rs` lists them.
fn encode(statement: Statement) -> PgQuery<'static> {
    let query = sqlx::query(AssertSqlSafe(statement.text));
    statement.values.into_iter().fold(query, |query, value| match value {
        Value::Uuid(id) => query.bind(id),
        Value::Text(text) => query.bind(text),
        Value::Integer(number) => query.bind(number),
        Value::Float(number) => query.bind(number),
        Value::Boolean(is) => query.bind(is),
        Value::Date(date) => query.bind(date.map(|date| date.to_sqlx())),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Json(json) => query.bind(json.map(Json)),
    })
}

/// JSON that is text already. As `json`, which keeps its text; a column of type `jsonb` takes it by an assignment cast.
struct Json(String);

impl Type<sqlx::Postgres> for Json {
    fn type_info() -> PgTypeInfo {
        /// Of the type `json`, in every server.
        const JSON: Oid = Oid(114);
        PgTypeInfo::with_oid(JSON)
    }
}

impl Encode<'_, sqlx::Postgres> for Json {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

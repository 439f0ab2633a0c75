//! The connections for everything but commits.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection, PgPool};

use super::session::{ANSWER_WITHIN, Home, must_store, within};

/// How long to wait for a connection, and for a server that is starting.
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is asked whether it is still there, before anything is lost with it.
const RESTED: Duration = Duration::from_secs(1);

/// A statement with its arguments.
pub(super) type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Lends its connections.
pub(super) struct Pool {
    pool: PgPool,
    home: Home,
}

/// A connection of the pool. One that is not given back is closed: so neither an error nor a silent server nor a caller
/// that stops waiting leaves something behind for the next one.
pub(super) struct Lent(Option<PoolConnection<sqlx::Postgres>>);

impl Pool {
    /// Opens connections when they are needed.
    pub fn new(options: PgConnectOptions, connections: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECTION_WITHIN)
            .after_connect(|connection, _| Box::pin(must_store(connection)))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > RESTED {
                        within(CONNECTION_WITHIN, connection.ping()).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, home: Home::here() }
    }

    pub async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let pool = self.pool.clone();
        Ok(Lent(Some(self.home.run(async move { pool.acquire().await }).await?)))
    }

    /// A connection on which everything is read as it was at one moment, until it is given back by [`Lent::end`].
    pub async fn snapshot(&self) -> Result<Lent, sqlx::Error> {
        let mut lent = self.lend().await?;
        lent.say("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(lent)
    }

    /// One statement in a transaction of its own.
    pub async fn all(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lent = self.lend().await?;
        let rows = lent.all(statement).await?;
        lent.give_back();
        Ok(rows)
    }

    pub async fn optional(&self, statement: Statement<'_>) -> Result<Option<PgRow>, sqlx::Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    pub async fn one(&self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// How many rows it changed.
    pub async fn execute(&self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        let mut lent = self.lend().await?;
        let changed = lent.execute(statement).await?;
        lent.give_back();
        Ok(changed)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Lent {
    pub async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        within(ANSWER_WITHIN, statement.fetch_all(self.connection()?)).await
    }

    pub async fn one(&mut self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        within(ANSWER_WITHIN, statement.fetch_one(self.connection()?)).await
    }

    /// Without an end to the server's silence: for reports that read whole tables.
    pub async fn all_in_time(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        statement.fetch_all(self.connection()?).await
    }

    pub async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        Ok(within(ANSWER_WITHIN, statement.execute(self.connection()?)).await?.rows_affected())
    }

    /// `BEGIN`, `COMMIT`, `SET LOCAL` and their like.
    pub async fn say(&mut self, command: &'static str) -> Result<(), sqlx::Error> {
        within(ANSWER_WITHIN, sqlx::raw_sql(command).execute(self.connection()?)).await?;
        Ok(())
    }

    /// Commits, and gives the connection back.
    pub async fn end(mut self) -> Result<(), sqlx::Error> {
        self.say("COMMIT").await?;
        self.give_back();
        Ok(())
    }

    /// Returns a connection that has no transaction open.
    pub fn give_back(mut self) {
        self.0.take();
    }

    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

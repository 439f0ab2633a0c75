//! Pools of connections: one for commits, one for everything else.
//!
//! sqlx's own pool pings the server each time a connection is returned. Most statements here are one look-up by key,
//! for which the ping is a second round trip. So `deadpool` manages the connections. It pings only a connection that
//! has rested, and lends the one that came back last: few connections are in use, and their server processes have warm
//! caches.
//!
//! A connection that is not given back is closed, and the server rolls back its transaction. So an error, a silent
//! server or a cancelled caller leaves no open transaction behind.
//!
//! While a server accepts no connections, callers fail fast ([`super::circuit`]).
//!
//! Limits: the size of the pool; no connection is older than [`LIFETIME`]; a caller waits at most [`CONNECTION_WITHIN`]
//! for a connection or for a starting server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use deadpool::managed::{Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::circuit::{ATTEMPT_WITHIN, Circuit};
use super::session::{Home, Session, UNHURRIED_WITHIN, within};

/// Time limit of waiting for a connection, and for a starting server.
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);
/// A connection that was used longer ago than this is pinged before use, so that no commit is sent on a broken one.
const RESTED: Duration = Duration::from_secs(1);
/// A server process grows with its caches, so connections are replaced now and then.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// Pauses between two attempts to reach a starting server, from the first to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A statement with its arguments.
pub(super) type PgQuery<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Lends its connections.
pub(super) struct Pool {
    connections: deadpool::managed::Pool<Server>,
    size: usize,
    /// Time limit of an answer.
    answer_within: Duration,
    /// The connections in use.
    lent: TaskTracker,
}

/// Opens connections, and tells which can still be used.
struct Server {
    session: Session,
    circuit: Arc<Circuit>,
    home: Home,
}

/// A connection in use.
pub(super) struct PooledConnection {
    connection: Option<Object<Server>>,
    answer_within: Duration,
    _lent: TaskTrackerToken,
}

impl Pool {
    /// Opens connections on demand, at most `size`. Needs a runtime, on which the connections live.
    pub fn new(
        session: Session,
        circuit: Arc<Circuit>,
        size: u32,
        answer_within: Duration,
    ) -> Result<Self, sqlx::Error> {
        let server = Server { session, circuit, home: Home::here() };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let connections = deadpool::managed::Pool::builder(server).max_size(size).queue_mode(QueueMode::Lifo).build();
        let connections = connections.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { connections, size, answer_within, lent: TaskTracker::new() })
    }

    /// The maximum number of connections.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A connection with an open transaction, begun by `words`. A connection that has just broken is found here, before
    /// anything is lost with it.
    pub async fn begin(&self, words: &'static str) -> Result<PooledConnection, sqlx::Error> {
        let begin = async {
            loop {
                let mut lent = self.get().await?;
                match lent.say(words).await {
                    Ok(()) => return Ok(lent),
                    Err(error) if lent.is_fresh() => return Err(error),
                    Err(_) => {}
                }
            }
        };
        within(CONNECTION_WITHIN, begin).await
    }

    /// A connection that reads one snapshot until [`PooledConnection::end`].
    pub async fn snapshot(&self) -> Result<PooledConnection, sqlx::Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// Runs one statement in its own transaction.
    pub async fn all(&self, statement: PgQuery<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lent = self.lend().await?;
        let rows = lent.all(statement).await?;
        lent.give_back();
        Ok(rows)
    }

    pub async fn optional(&self, statement: PgQuery<'_>) -> Result<Option<PgRow>, sqlx::Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    pub async fn one(&self, statement: PgQuery<'_>) -> Result<PgRow, sqlx::Error> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs a statement and returns the number of changed rows.
    pub async fn execute(&self, statement: PgQuery<'_>) -> Result<u64, sqlx::Error> {
        let mut lent = self.lend().await?;
        let changed = lent.execute(statement).await?;
        lent.give_back();
        Ok(changed)
    }

    /// Waits for running statements, and closes all connections.
    pub async fn close(&self) -> Result<(), sqlx::Error> {
        self.lent.close();
        let all_are_back = async {
            self.lent.wait().await;
            Ok::<_, sqlx::Error>(())
        };
        within(self.answer_within, all_are_back).await?;
        let idle = self.connections.retain(|_, _| false).removed;
        self.connections.close();
        for connection in idle {
            within(self.answer_within, connection.close()).await?;
        }
        Ok(())
    }

    /// A connection that has just answered.
    pub async fn lend(&self) -> Result<PooledConnection, sqlx::Error> {
        within(CONNECTION_WITHIN, self.get()).await
    }

    async fn get(&self) -> Result<PooledConnection, sqlx::Error> {
        let connection = self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            _ => sqlx::Error::PoolClosed,
        })?;
        Ok(PooledConnection {
            connection: Some(connection),
            answer_within: self.answer_within,
            _lent: self.lent.token(),
        })
    }
}

impl Manager for Server {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        let connecting = || self.connect();
        let pauses = ExponentialBuilder::default().with_min_delay(PAUSE).with_max_delay(LONGEST_PAUSE);
        let may_come = |error: &sqlx::Error| is_away(error) && !self.circuit.is_open();
        connecting.retry(pauses.without_max_times()).when(may_come).await
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > LIFETIME {
            return Err(RecycleError::message("it has lived long enough"));
        }
        if metrics.last_used() > RESTED {
            connection.ping().await?;
        }
        Ok(())
    }
}

impl Server {
    /// One attempt to connect, unless the circuit is open.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        if self.circuit.is_open() {
            return Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "the server accepts no connection",
            )));
        }
        let (began, session) = (Instant::now(), self.session.clone());
        let connecting = self.home.run(async move { session.connect().await });
        let connected = within(ATTEMPT_WITHIN, connecting).await;
        match &connected {
            Ok(_) => self.circuit.succeeded(),
            Err(error) if is_away(error) && !is_full(error) && self.circuit.failed(began) => {
                self.circuit.try_again(self.session.clone(), &self.home);
            }
            Err(_) => {}
        }
        connected
    }
}

/// Whether the server refuses connections but may accept them soon: it was stopped, is starting, or has not noticed
/// closed connections.
fn is_away(error: &sqlx::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotFound, TimedOut, UnexpectedEof};
    match error {
        sqlx::Error::Io(error) => {
            matches!(error.kind(), ConnectionRefused | ConnectionReset | NotFound | TimedOut | UnexpectedEof)
        }
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

/// Whether the server refuses new connections but serves the open ones.
fn is_full(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|said| said.code().as_deref() == Some("53300"))
}

impl PooledConnection {
    pub async fn all(&mut self, statement: PgQuery<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        within(self.answer_within, statement.fetch_all(self.connection()?)).await
    }

    pub async fn one(&mut self, statement: PgQuery<'_>) -> Result<PgRow, sqlx::Error> {
        within(self.answer_within, statement.fetch_one(self.connection()?)).await
    }

    /// From now on an answer is waited for as long as a report takes that reads whole tables.
    pub fn take_time(&mut self) {
        self.answer_within = UNHURRIED_WITHIN;
    }

    pub async fn execute(&mut self, statement: PgQuery<'_>) -> Result<u64, sqlx::Error> {
        Ok(within(self.answer_within, statement.execute(self.connection()?)).await?.rows_affected())
    }

    /// Runs `BEGIN`, `COMMIT`, `SET LOCAL` and the like.
    pub async fn say(&mut self, command: &'static str) -> Result<(), sqlx::Error> {
        within(self.answer_within, sqlx::raw_sql(command).execute(self.connection()?)).await?;
        Ok(())
    }

    /// Commits, and returns the connection.
    pub async fn end(mut self) -> Result<(), sqlx::Error> {
        self.say("COMMIT").await?;
        self.give_back();
        Ok(())
    }

    /// Returns a connection that has no transaction open.
    pub fn give_back(mut self) {
        self.connection.take();
    }

    pub fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Whether the connection was opened for this caller.
    fn is_fresh(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| Object::metrics(connection).recycle_count == 0)
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

//! Connections, lent to one at a time: some to commits, some to everybody else.
//!
//! sqlx's own pool asks the server, each time a connection comes back, whether it is still there. Most of what is asked
//! here is one statement by key, for which that is a second round trip. So `deadpool` keeps them, is told to ask only what
//! has rested, and lends the connection that came back last: those that are used are few, and their server processes know
//! the way.
//!
//! A connection that is not given back is closed, and the server rolls back what it had begun. So neither an error nor a
//! silent server nor a caller that stops waiting leaves something behind for the next one.
//!
//! A server that lets nobody in is waited for by few, and not for long ([`super::circuit`]).
//!
//! Limits: so many connections, none older than [`LIFETIME`]; whoever waits longer than [`CONNECTION_WITHIN`] for one, or
//! for a server that is starting, is told so.

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

/// How long to wait for a connection, and for a server that is starting.
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);
/// A connection that was lent longer ago than this is asked whether it is still there, so that nothing is lost with it. One
/// that has answered since is believed.
const RESTED: Duration = Duration::from_secs(1);
/// A server process grows with what it has planned and seen, so now and then another one follows it.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// The pauses between two tries to reach a server that is starting, growing from the first to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A statement with its arguments.
pub(super) type PgQuery<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Lends its connections.
pub(super) struct Pool {
    connections: deadpool::managed::Pool<Server>,
    size: usize,
    /// How long an answer is waited for.
    answer_within: Duration,
    /// Those that are lent.
    lent: TaskTracker,
}

/// Opens connections, and says which are still good.
struct Server {
    session: Session,
    circuit: Arc<Circuit>,
    home: Home,
}

/// A connection of the pool, and the right to use it.
pub(super) struct PooledConnection {
    connection: Option<Object<Server>>,
    answer_within: Duration,
    _lent: TaskTrackerToken,
}

impl Pool {
    /// Opens connections when they are needed, at most `size` at a time. Needs a runtime, on which they will live.
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

    /// How many connections there are at most.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A connection with a transaction on it, which begins with these words. One that broke a moment ago is found here,
    /// before anything is lost with it.
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

    /// A connection on which everything is read as it was at one moment, until it is given back by [`PooledConnection::end`].
    pub async fn snapshot(&self) -> Result<PooledConnection, sqlx::Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// One statement in a transaction of its own.
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

    /// How many rows it changed.
    pub async fn execute(&self, statement: PgQuery<'_>) -> Result<u64, sqlx::Error> {
        let mut lent = self.lend().await?;
        let changed = lent.execute(statement).await?;
        lent.give_back();
        Ok(changed)
    }

    /// Waits for what is under way, and lets go of everything.
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

    /// A connection that has answered a moment ago.
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
    /// One attempt, unless it is known that the server lets nobody in.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        if self.circuit.is_open() {
            return Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, "the server lets nobody in")));
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

/// Whether it lets nobody in, and may soon: it was stopped, has just been started, or has not noticed yet who has gone.
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

/// Whether it lets in nobody else, but serves those that it has let in.
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

    /// `BEGIN`, `COMMIT`, `SET LOCAL` and their like.
    pub async fn say(&mut self, command: &'static str) -> Result<(), sqlx::Error> {
        within(self.answer_within, sqlx::raw_sql(command).execute(self.connection()?)).await?;
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
        self.connection.take();
    }

    pub fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Whether it was opened for whoever has it.
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

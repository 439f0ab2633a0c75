//! Connections, lent to one at a time: some to commits, some to everybody else.
//!
//! The library's own pool asks the server, each time a connection comes back, whether it is still there. Most of what is
//! asked here is one statement by key, for which that would be a second round trip. So this one asks only what has rested,
//! and lends the connection that came back last: those that are used are few, and their server processes know the way.
//!
//! A connection that is not given back is closed, and the server rolls back what it had begun. So neither an error nor a
//! silent server nor a caller that stops waiting leaves something behind for the next one.
//!
//! Limits: so many connections, kept open once they were needed; whoever waits longer than [`CONNECTION_WITHIN`] for one,
//! or for a server that is starting, is told so.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::session::{Home, connect, within};

/// How long to wait for a connection, and for a server that is starting.
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is asked whether it is still there, before anything is lost with it.
const RESTED: Duration = Duration::from_secs(1);
/// The pauses between two tries to reach a server that is starting, growing from the first to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A statement with its arguments.
pub(super) type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Lends its connections.
pub(super) struct Pool {
    options: PgConnectOptions,
    home: Home,
    size: u32,
    /// How long an answer is waited for.
    answer_within: Duration,
    places: Semaphore,
    /// With the moment they came back, the last one last.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// A connection of the pool, and the right to use it.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    pub connection: PgConnection,
    place: SemaphorePermit<'p>,
}

impl Pool {
    /// Opens connections when they are needed, at most `size` at a time.
    pub fn new(options: PgConnectOptions, size: u32, answer_within: Duration) -> Self {
        let places = Semaphore::new(usize::try_from(size).unwrap_or(usize::MAX));
        Self { options, home: Home::here(), size, answer_within, places, idle: Mutex::default() }
    }

    /// How many connections there are at most.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// A connection that has answered a moment ago.
    pub async fn lend(&self) -> Result<Lent<'_>, sqlx::Error> {
        let lend = async {
            let mut place = self.place().await?;
            while let Some((connection, since)) = self.pop() {
                let mut lent = Lent { pool: self, connection, place };
                if since.elapsed() < RESTED || lent.connection.ping().await.is_ok() {
                    return Ok(lent);
                }
                place = lent.place;
            }
            self.open(place).await
        };
        within(CONNECTION_WITHIN, lend).await
    }

    /// A connection with a transaction on it, which begins with these words. One that broke while nobody used it is found
    /// here, before anything is lost with it.
    pub async fn begin(&self, words: &'static str) -> Result<Lent<'_>, sqlx::Error> {
        let begin = async {
            let mut place = self.place().await?;
            while let Some((connection, _)) = self.pop() {
                let mut lent = Lent { pool: self, connection, place };
                match lent.say(words).await {
                    Ok(()) => return Ok(lent),
                    Err(_) => place = lent.place,
                }
            }
            let mut lent = self.open(place).await?;
            lent.say(words).await?;
            Ok(lent)
        };
        within(CONNECTION_WITHIN, begin).await
    }

    /// A connection on which everything is read as it was at one moment, until it is given back by [`Lent::end`].
    pub async fn snapshot(&self) -> Result<Lent<'_>, sqlx::Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
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

    /// Waits for what is under way, and lets go of everything.
    pub async fn close(&self) -> Result<(), sqlx::Error> {
        let places = within(self.answer_within, async { Ok(self.places.acquire_many(self.size).await) }).await?;
        self.places.close();
        drop(places);
        let idle = std::mem::take(&mut *self.idle());
        for (connection, _) in idle {
            within(self.answer_within, connection.close()).await?;
        }
        Ok(())
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, sqlx::Error> {
        self.places.acquire().await.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn open<'p>(&'p self, place: SemaphorePermit<'p>) -> Result<Lent<'p>, sqlx::Error> {
        let options = self.options.clone();
        let connecting = move || {
            let options = options.clone();
            async move { connect(&options).await }
        };
        let pauses = ExponentialBuilder::default().with_min_delay(PAUSE).with_max_delay(LONGEST_PAUSE);
        let connecting = connecting.retry(pauses.without_max_times()).when(is_starting);
        // Ends by itself, also when nobody waits for it any more.
        let connection = self.home.run(within(CONNECTION_WITHIN, connecting)).await?;
        Ok(Lent { pool: self, connection, place })
    }

    fn pop(&self) -> Option<(PgConnection, Instant)> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it may soon let us in: it has just been started, or has not noticed yet who has gone.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

impl Lent<'_> {
    pub async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        within(self.pool.answer_within, statement.fetch_all(&mut self.connection)).await
    }

    pub async fn one(&mut self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        within(self.pool.answer_within, statement.fetch_one(&mut self.connection)).await
    }

    /// Without an end to the server's silence: for reports that read whole tables.
    pub async fn all_in_time(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        statement.fetch_all(&mut self.connection).await
    }

    pub async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        Ok(within(self.pool.answer_within, statement.execute(&mut self.connection)).await?.rows_affected())
    }

    /// `BEGIN`, `COMMIT`, `SET LOCAL` and their like.
    pub async fn say(&mut self, command: &'static str) -> Result<(), sqlx::Error> {
        within(self.pool.answer_within, sqlx::raw_sql(command).execute(&mut self.connection)).await?;
        Ok(())
    }

    /// Commits, and gives the connection back.
    pub async fn end(mut self) -> Result<(), sqlx::Error> {
        self.say("COMMIT").await?;
        self.give_back();
        Ok(())
    }

    /// Returns a connection that has no transaction open.
    pub fn give_back(self) {
        self.pool.idle().push((self.connection, Instant::now()));
    }
}

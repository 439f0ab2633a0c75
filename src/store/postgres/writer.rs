//! The connections that commit.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::session::{COMMIT_WITHIN, Home, connect, within};

/// Lends a connection with a transaction begun on it, one to each lane.
///
/// A connection that is not given back is closed, and the server rolls back what it had begun. So neither an error nor
/// a caller that stops waiting can leave a transaction open for the next one.
pub(super) struct Writer {
    options: PgConnectOptions,
    home: Home,
    lanes: usize,
    places: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
}

/// A transaction, and the turn to use it.
pub(super) struct Turn<'w> {
    writer: &'w Writer,
    pub connection: PgConnection,
    place: SemaphorePermit<'w>,
}

impl Writer {
    /// Opens a connection when one is needed.
    pub fn new(options: PgConnectOptions, lanes: usize) -> Self {
        Self { options, home: Home::here(), lanes, places: Semaphore::new(lanes), idle: Mutex::default() }
    }

    /// How many commits can be under way at once.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Waits for a connection and begins a transaction on it. Connections that broke while nobody used them are found
    /// here, before anything is lost with them.
    pub async fn turn(&self) -> Result<Turn<'_>, sqlx::Error> {
        let mut place = self.places.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        loop {
            let idle = self.idle().pop();
            let (connection, fresh) = match idle {
                Some(connection) => (connection, false),
                None => {
                    let options = self.options.clone();
                    let connected = async move { within(COMMIT_WITHIN, connect(&options)).await };
                    (self.home.run(connected).await?, true)
                }
            };
            let mut turn = Turn { writer: self, connection, place };
            match turn.say("BEGIN").await {
                Ok(()) => return Ok(turn),
                Err(error) if fresh => return Err(error),
                Err(_) => place = turn.place,
            }
        }
    }

    /// Waits for the commits under way, and lets go of everything.
    pub async fn close(&self) -> Result<(), sqlx::Error> {
        let all = u32::try_from(self.lanes).unwrap_or(u32::MAX);
        let turns = within(COMMIT_WITHIN, async { Ok(self.places.acquire_many(all).await) }).await?;
        self.places.close();
        drop(turns);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            within(COMMIT_WITHIN, connection.close()).await?;
        }
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// One of `BEGIN`, `COMMIT`, `ROLLBACK` and their like.
    pub async fn say(&mut self, command: &'static str) -> Result<(), sqlx::Error> {
        within(COMMIT_WITHIN, sqlx::raw_sql(command).execute(&mut self.connection)).await?;
        Ok(())
    }

    /// Returns a connection that has no transaction open.
    pub fn give_back(self) {
        self.writer.idle().push(self.connection);
    }
}

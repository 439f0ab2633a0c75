//! The commit: a whole batch in one transaction and three statements, however large it is.
//!
//! 1. `check.sql` takes the write lock and reads what the verdicts depend on.
//! 2. The accepted facts are folded into rows, each as the last fact leaves it, and `write.sql` writes them.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third step leaves no trace. After an error of the third step the outcome is unknown: the
//! connection is closed, and the next reader finds out. When the database refuses values, a second transaction writes
//! the batch in parts ([`sql::Isolation`]) and leaves the refused entries out.

mod json;

use sqlx::SqliteConnection;

use super::Sqlite;
use crate::store::sql::{self, BatchState, Changes, Isolation};
use crate::store::{CommitEntry, CommitError, Error, Verdict};

pub(super) const CHECK: &str = include_str!("check.sql");
pub(super) const WRITE: &str = include_str!("write.sql");

impl Sqlite {
    pub(super) async fn commit_batch(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        match self.transaction(batch, false).await {
            Err(CommitError::RolledBack(error)) if sql::contradicts(&*error) => self.transaction(batch, true).await,
            decided => decided,
        }
    }

    /// With `in_parts`, leaves out what the database refuses.
    async fn transaction(&self, batch: &[CommitEntry], in_parts: bool) -> Result<Vec<Verdict>, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.turn().await.map_err(rolled_back)?;
        match write(&mut turn.connection, batch, in_parts).await {
            Ok(verdicts) => {
                let commit = sqlx::query("COMMIT").execute(&mut turn.connection).await;
                commit.map_err(|error| CommitError::UnknownOutcome(error.into()))?;
                turn.give_back().map_err(|error| CommitError::UnknownOutcome(error.into()))?;
                Ok(verdicts)
            }
            Err(error) => {
                if sqlx::query("ROLLBACK").execute(&mut turn.connection).await.is_ok() {
                    turn.take_back();
                }
                if !sql::contradicts(&error) {
                    self.writer.watch.writable.suspect();
                }
                Err(CommitError::RolledBack(error.into()))
            }
        }
    }
}

/// Everything but the COMMIT.
async fn write(
    connection: &mut SqliteConnection,
    batch: &[CommitEntry],
    in_parts: bool,
) -> Result<Vec<Verdict>, Error> {
    let known = check(connection, batch).await?;
    let verdicts = known.judge(batch);
    if in_parts {
        return write_parts(connection, &known, Isolation::of_refused(batch, verdicts)).await;
    }
    insert(connection, &known.changes(batch, &verdicts)).await?;
    Ok(verdicts)
}

/// Writes part after part, each behind a savepoint.
async fn write_parts(
    connection: &mut SqliteConnection,
    known: &BatchState,
    mut isolation: Isolation<'_>,
) -> Result<Vec<Verdict>, Error> {
    while let Some(part) = isolation.next_part() {
        sqlx::query("SAVEPOINT part").execute(&mut *connection).await?;
        let changes = known.changes(isolation.entries(&part), isolation.verdicts(&part));
        match insert(connection, &changes).await {
            Err(error) if sql::contradicts(&error) => {
                sqlx::query("ROLLBACK TO part").execute(&mut *connection).await?;
                isolation.refused(part, &error);
            }
            inserted => inserted?,
        }
        sqlx::query("RELEASE part").execute(&mut *connection).await?;
    }
    Ok(isolation.into_verdicts())
}

/// Begins the transaction.
async fn check(connection: &mut SqliteConnection, batch: &[CommitEntry]) -> Result<BatchState, Error> {
    let query = sqlx::query(CHECK).bind(json::room_types(batch)).bind(json::keys(batch));
    BatchState::read(&query.fetch_one(connection).await?)
}

async fn insert(connection: &mut SqliteConnection, changes: &Changes<'_>) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut query = sqlx::query(WRITE);
    for rows in json::arguments(&changes.rows()).map_err(|error| Error::Corrupt(error.into()))? {
        query = query.bind(rows);
    }
    query.execute(connection).await?;
    Ok(())
}

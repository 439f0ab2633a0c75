//! The commit: a whole batch in one transaction and three statements, however large it is.
//!
//! 1. `check.sql` takes the write lock and reads what the verdicts depend on.
//! 2. The accepted facts are folded into rows, each as the last fact leaves it, and `write.sql` writes them.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third leaves no trace. An error of the third says nothing about the outcome: the connection is
//! thrown away, and who asks next sees what became of it. Rows that contradict the schema are found in a second attempt,
//! which writes one room type after the other, and left out.

mod json;

use sqlx::SqliteConnection;

use super::Sqlite;
use crate::store::sql::{self, Changes, Known, Manner};
use crate::store::{CommitError, Entry, Error, Verdict};

pub(super) const CHECK: &str = include_str!("check.sql");
pub(super) const WRITE: &str = include_str!("write.sql");

impl Sqlite {
    pub(super) async fn commit_batch(&self, batch: &[Entry]) -> Result<Vec<Verdict>, CommitError> {
        match self.transaction(batch, Manner::Together).await {
            Err(CommitError::RolledBack(error)) if sql::contradicts(&*error) => {
                self.transaction(batch, Manner::Apart).await
            }
            decided => decided,
        }
    }

    async fn transaction(&self, batch: &[Entry], manner: Manner) -> Result<Vec<Verdict>, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.turn().await.map_err(rolled_back)?;
        match write(&mut turn.connection, batch, manner).await {
            Ok(verdicts) => {
                let commit = sqlx::query("COMMIT").execute(&mut turn.connection).await;
                commit.map_err(|error| CommitError::InDoubt(error.into()))?;
                turn.give_back();
                Ok(verdicts)
            }
            Err(error) => {
                if sqlx::query("ROLLBACK").execute(&mut turn.connection).await.is_ok() {
                    turn.give_back();
                }
                Err(CommitError::RolledBack(error.into()))
            }
        }
    }
}

/// Everything but the COMMIT.
async fn write(connection: &mut SqliteConnection, batch: &[Entry], manner: Manner) -> Result<Vec<Verdict>, Error> {
    let known = check(connection, batch).await?;
    let mut verdicts = known.judge(batch);
    match manner {
        Manner::Together => insert(connection, &known.changes(batch, &verdicts)).await?,
        Manner::Apart => {
            for (room_type, part) in sql::parts(batch, &verdicts) {
                sqlx::query("SAVEPOINT part").execute(&mut *connection).await?;
                match insert(connection, &known.changes(batch, &part)).await {
                    Err(error) if sql::contradicts(&error) => {
                        sqlx::query("ROLLBACK TO part").execute(&mut *connection).await?;
                        sql::refuse(room_type, batch, &mut verdicts, &error);
                    }
                    inserted => inserted?,
                }
                sqlx::query("RELEASE part").execute(&mut *connection).await?;
            }
        }
    }
    Ok(verdicts)
}

/// Begins the transaction.
async fn check(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<Known, Error> {
    let query = sqlx::query(CHECK).bind(json::room_types(batch)).bind(json::keys(batch));
    Known::read(&query.fetch_one(connection).await?)
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

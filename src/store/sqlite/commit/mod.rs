//! The commit: a whole batch in one transaction and three statements, however large it is.
//!
//! 1. `check.sql` takes the write lock and reads what the verdicts depend on; [`check`] gives the verdicts.
//! 2. [`changes`] folds the accepted facts into rows, each as the last fact leaves it, and `write.sql` writes them.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third leaves no trace. An error of the third says nothing about the outcome: the connection is
//! thrown away, and who asks next sees what became of it.

mod changes;
mod check;
mod rows;

use sqlx::SqliteConnection;

use super::Sqlite;
use crate::store::{CommitError, Entry, Error, Verdict};
use changes::Changes;
#[cfg(test)]
pub(super) use check::CHECK;

pub(super) const WRITE: &str = include_str!("write.sql");

impl Sqlite {
    pub(super) async fn commit_batch(&self, batch: &[Entry]) -> Result<Vec<Verdict>, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.turn().await.map_err(rolled_back)?;
        match write(&mut turn.connection, batch).await {
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
async fn write(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<Vec<Verdict>, Error> {
    let known = check::Known::read(connection, batch).await?;
    let verdicts = known.judge(batch);
    let mut changes = Changes::default();
    for (entry, verdict) in batch.iter().zip(&verdicts) {
        if let (Verdict::Committed, Some(today)) = (verdict, known.today(entry)) {
            changes.add(entry, today);
        }
    }
    if !changes.is_empty() {
        let mut query = sqlx::query(WRITE);
        for rows in changes.into_json().map_err(|error| Error::Corrupt(error.into()))? {
            query = query.bind(rows);
        }
        query.execute(connection).await?;
    }
    Ok(verdicts)
}

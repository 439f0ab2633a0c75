//! The commit: a whole batch in one transaction, however large it is.
//!
//! 1. `BEGIN`, and `check.sql` locks the room types and reads what the verdicts depend on.
//! 2. The accepted facts are folded into rows, each as the last fact leaves it. Those of bookings are written by
//!    [`rows`] in one statement; settings, which change seldom, by [`settings`], around it.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third leaves no trace: a transaction whose COMMIT was never sent can never succeed. Of an error of
//! the third only a few say that nothing was stored; after any other the connection is thrown away, and who claims the
//! room type next sees what became of it. Rows that contradict the schema are found in a second attempt, which writes one
//! room type after the other, and left out.

mod rows;
mod settings;

use anyhow::anyhow;
use uuid::Uuid;

use super::Postgres;
use super::pool::Lent;
use super::session::{COMMIT_WITHIN, within};
use crate::store::sql::{self, Changes, Known, Manner};
use crate::store::{CommitError, Entry, Error, Verdict};
#[cfg(test)]
pub(super) use {rows::FREE, rows::WRITE, settings::STEPS};

pub(super) const CHECK: &str = include_str!("check.sql");
/// Places in a transaction that positions of events tell apart.
const PLACES: usize = 4_096;
/// How often a batch begins again because others have used its idempotency keys meanwhile.
const ATTEMPTS: usize = 4;

/// What became of writing a batch.
enum Written {
    All(Vec<Verdict>),
    /// An idempotency key of the batch has been used by somebody else since it was looked up.
    Overtaken,
}

impl Postgres {
    pub(super) async fn commit_batch(&self, batch: &[Entry]) -> Result<Vec<Verdict>, CommitError> {
        if batch.len() > PLACES {
            return Err(CommitError::RolledBack(anyhow!("a batch has at most {PLACES} entries")));
        }
        match self.transaction(batch, Manner::Together).await {
            Err(CommitError::RolledBack(error)) if sql::contradicts(&*error) => {
                self.transaction(batch, Manner::Apart).await
            }
            decided => decided,
        }
    }

    async fn transaction(&self, batch: &[Entry], manner: Manner) -> Result<Vec<Verdict>, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.begin("BEGIN").await.map_err(rolled_back)?;
        for _ in 0..ATTEMPTS {
            match write(&mut turn, batch, manner).await {
                Ok(Written::All(verdicts)) => {
                    turn.say("COMMIT").await.map_err(unconfirmed)?;
                    turn.give_back();
                    return Ok(verdicts);
                }
                Ok(Written::Overtaken) => {
                    turn.say("ROLLBACK").await.map_err(rolled_back)?;
                    turn.say("BEGIN").await.map_err(rolled_back)?;
                }
                Err(error) => {
                    // A server that did not even answer is not asked again.
                    if sql::database_error(&error).is_some() && turn.say("ROLLBACK").await.is_ok() {
                        turn.give_back();
                    }
                    return Err(CommitError::RolledBack(error.into()));
                }
            }
        }
        Err(CommitError::RolledBack(anyhow!("others use the same idempotency keys all the time")))
    }
}

/// What an error of COMMIT means. That nothing was stored is certain only where the server says that the transaction
/// failed: by a conflict (class 40) or by a constraint (class 23).
fn unconfirmed(error: sqlx::Error) -> CommitError {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    // 40003 is "statement completion unknown".
    match (code.starts_with("40") && code != "40003") || code.starts_with("23") {
        true => CommitError::RolledBack(error.into()),
        false => CommitError::InDoubt(error.into()),
    }
}

/// Everything between BEGIN and COMMIT.
async fn write(turn: &mut Lent, batch: &[Entry], manner: Manner) -> Result<Written, Error> {
    let known = check(turn, batch).await?;
    let mut verdicts = known.judge(batch);
    match manner {
        Manner::Together => {
            if !insert(turn, &known.changes(batch, &verdicts), 0).await? {
                return Ok(Written::Overtaken);
            }
        }
        Manner::Apart => {
            let mut place = 0;
            for (room_type, part) in sql::parts(batch, &verdicts) {
                turn.say("SAVEPOINT part").await?;
                match insert(turn, &known.changes(batch, &part), place).await {
                    Err(error) if sql::contradicts(&error) => {
                        turn.say("ROLLBACK TO part").await?;
                        sql::refuse(room_type, batch, &mut verdicts, &error);
                    }
                    Ok(false) => return Ok(Written::Overtaken),
                    inserted => {
                        inserted?;
                    }
                }
                turn.say("RELEASE part").await?;
                place += part.iter().filter(|verdict| **verdict == Verdict::Committed).count();
            }
        }
    }
    Ok(Written::All(verdicts))
}

/// Locks the room types, and reads what the verdicts depend on.
async fn check(turn: &mut Lent, batch: &[Entry]) -> Result<Known, Error> {
    let mut room_types: Vec<Uuid> = batch.iter().map(|entry| entry.room_type.0).collect();
    room_types.sort_unstable();
    room_types.dedup();
    let keys: Vec<&[u8]> =
        batch.iter().filter_map(|entry| entry.attempt.as_ref()).map(|(key, _)| key.0.as_slice()).collect();
    let query = sqlx::query(CHECK).bind(room_types).bind(keys);
    Known::read(&within(COMMIT_WITHIN, query.fetch_one(turn.connection()?)).await?)
}

/// Writes the rows, behind `place` events of the same transaction. `false`: somebody else has used one of the
/// idempotency keys.
async fn insert(turn: &mut Lent, changes: &Changes<'_>, place: usize) -> Result<bool, Error> {
    if changes.is_empty() {
        return Ok(true);
    }
    let rows = changes.rows();
    settings::before(turn.connection()?, &rows).await?;
    rows::replace(turn.connection()?, &rows).await?;
    let remembered = rows::write(turn.connection()?, &rows, place).await?;
    settings::after(turn.connection()?, &rows).await?;
    Ok(remembered == rows.attempts.len())
}

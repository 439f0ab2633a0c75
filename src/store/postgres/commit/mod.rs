//! The commit: a whole batch in one transaction, however large it is.
//!
//! A batch that books and moves bookings on, which is nearly every one, is one statement, `write.sql`: it locks the room
//! types, and writes everything if they are as the batch was decided on. Then it is durable when the statement has
//! ended, after one round trip. Where anything is not as expected it writes nothing, and the batch is looked at in full:
//!
//! 1. `BEGIN`, and `check.sql` locks the room types and reads what the verdicts depend on.
//! 2. The accepted facts are folded into rows, each as the last fact leaves it. Those of bookings are written by
//!    [`rows`] in the same one statement; settings, which change seldom, by [`settings`], around it.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third leaves no trace: a transaction whose COMMIT was never sent can never succeed. Of an error of
//! the third, or of the one statement, only what the server itself says can mean that nothing was stored
//! ([`unconfirmed`]); after any other the connection is thrown away, and who claims the room type next sees what became
//! of it. Rows that contradict the schema are found in another attempt, which writes one room type after the other, and
//! left out.

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
pub(super) use {rows::FORGET, rows::FREE, rows::WRITE, settings::STEPS};

pub(super) const CHECK: &str = include_str!("check.sql");
/// Places in a transaction that positions of events tell apart.
const PLACES: usize = 4_096;
/// How often a batch begins again because others have used its idempotency keys meanwhile.
const ATTEMPTS: usize = 4;

/// The constraint that an idempotency key meets which somebody else has used.
const KEYS: &str = "attempts_pkey";

impl Postgres {
    pub(super) async fn commit_batch(&self, batch: &[Entry]) -> Result<Vec<Verdict>, CommitError> {
        if batch.len() > PLACES {
            return Err(CommitError::RolledBack(anyhow!("a batch has at most {PLACES} entries")));
        }
        if self.at_once(batch).await? {
            return Ok(vec![Verdict::Committed; batch.len()]);
        }
        match self.transaction(batch, Manner::Together).await {
            Err(CommitError::RolledBack(error)) if sql::contradicts(&*error) => {
                self.transaction(batch, Manner::Apart).await
            }
            decided => decided,
        }
    }

    /// Commits all of it, if nothing stands in the way of any of it. `false`: nothing was stored.
    async fn at_once(&self, batch: &[Entry]) -> Result<bool, CommitError> {
        let Some(changes) = Changes::of_bookings(batch) else { return Ok(false) };
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.lend().await.map_err(rolled_back)?;
        match rows::write(&mut turn, &changes.rows(), 0).await {
            Ok(granted) => {
                turn.give_back();
                Ok(granted)
            }
            Err(error) if sql::contradicts(&error) => {
                turn.give_back();
                Ok(false)
            }
            Err(error) => {
                let error = unconfirmed(error);
                if let CommitError::RolledBack(_) = error {
                    turn.give_back();
                }
                Err(error)
            }
        }
    }

    async fn transaction(&self, batch: &[Entry], manner: Manner) -> Result<Vec<Verdict>, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.begin("BEGIN").await.map_err(rolled_back)?;
        for _ in 0..ATTEMPTS {
            match write(&mut turn, batch, manner).await {
                Ok(verdicts) => {
                    turn.say("COMMIT").await.map_err(unconfirmed)?;
                    turn.give_back();
                    return Ok(verdicts);
                }
                Err(error) if is_overtaken(&error) => {
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

/// What an error means after which the transaction may have ended well. That nothing was stored is certain only where the
/// server says why it could not be done: by the data or a constraint, by a state, a conflict or a rule that forbids it, for
/// want of room, or because a lock or the statement took too long.
fn unconfirmed(error: sqlx::Error) -> CommitError {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    let refused = ["22", "23", "25", "40", "42", "53", "55", "57014"].iter().any(|class| code.starts_with(class));
    // 40003 is "statement completion unknown".
    match refused && code != "40003" {
        true => CommitError::RolledBack(error.into()),
        false => CommitError::InDoubt(error.into()),
    }
}

/// Everything between BEGIN and COMMIT.
async fn write(turn: &mut Lent, batch: &[Entry], manner: Manner) -> Result<Vec<Verdict>, Error> {
    let known = check(turn, batch).await?;
    let mut verdicts = known.judge(batch);
    match manner {
        Manner::Together => insert(turn, &known, &known.changes(batch, &verdicts), 0).await?,
        Manner::Apart => {
            let mut place = 0;
            for (room_type, part) in sql::parts(batch, &verdicts) {
                turn.say("SAVEPOINT part").await?;
                match insert(turn, &known, &known.changes(batch, &part), place).await {
                    Err(error) if sql::contradicts(&error) && !is_overtaken(&error) => {
                        turn.say("ROLLBACK TO part").await?;
                        sql::refuse(room_type, batch, &mut verdicts, &error);
                    }
                    inserted => inserted?,
                }
                turn.say("RELEASE part").await?;
                place += part.iter().filter(|verdict| **verdict == Verdict::Committed).count();
            }
        }
    }
    Ok(verdicts)
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

/// Writes the rows, behind `place` events of the same transaction.
async fn insert(turn: &mut Lent, known: &Known, changes: &Changes<'_>, place: usize) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows = changes.rows();
    settings::before(turn.connection()?, &rows).await?;
    rows::make_room(turn, known, &rows).await?;
    match rows::write(turn, &rows, place).await? {
        true => settings::after(turn.connection()?, &rows).await,
        false => Err(Error::Unavailable(anyhow!("room types are not as they were when they were locked"))),
    }
}

/// Whether somebody else has used one of the idempotency keys since they were looked up.
fn is_overtaken(error: &Error) -> bool {
    sql::database_error(error).is_some_and(|said| said.constraint() == Some(KEYS))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::fmt;

    use rstest::rstest;
    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What a server says.
    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[rstest]
    #[case::a_check("23514")]
    #[case::a_standby("25006")]
    #[case::a_deadlock("40P01")]
    #[case::no_right_to_it("42501")]
    #[case::a_full_disk("53100")]
    #[case::a_lock_that_is_not_given_up("55P03")]
    #[case::a_statement_that_takes_too_long("57014")]
    fn nothing_was_stored_where_the_server_says_why(#[case] code: &'static str) {
        let error = unconfirmed(sqlx::Error::Database(Box::new(Said(code))));
        assert!(matches!(error, CommitError::RolledBack(_)), "{error:?}");
    }

    #[rstest]
    #[case::a_proxy_that_lost_the_server("08006")]
    #[case::nobody_knows("40003")]
    #[case::an_administrator("57P01")]
    #[case::a_crash("57P02")]
    #[case::a_mistake_of_the_server("XX000")]
    fn anything_else_leaves_a_doubt(#[case] code: &'static str) {
        let error = unconfirmed(sqlx::Error::Database(Box::new(Said(code))));
        assert!(matches!(error, CommitError::InDoubt(_)), "{error:?}");
    }

    #[test]
    fn silence_leaves_a_doubt() {
        let error = unconfirmed(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        assert!(matches!(error, CommitError::InDoubt(_)), "{error:?}");
    }
}

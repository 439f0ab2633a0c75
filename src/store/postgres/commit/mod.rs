//! The commit: a whole batch in one transaction, however large it is.
//!
//! Nearly every batch only books and moves bookings on. It is one statement, `write.sql`: it locks the room types, and
//! writes everything if they are as the batch was decided on. It is durable when the statement has ended, after one
//! round trip. Otherwise it writes nothing, and the batch takes the full path:
//!
//! 1. `BEGIN`; `check.sql` locks the room types and reads what the verdicts depend on.
//! 2. The accepted facts are folded into rows, each as the last fact leaves it. [`rows`] writes those of bookings with
//!    the same statement; [`settings`] writes settings, which change seldom, before and after it.
//! 3. `COMMIT` makes them durable.
//!
//! An error before the third step leaves no trace, because a transaction without COMMIT cannot succeed. After an error
//! of the third step, or of the one statement, only a clear message of the server means that nothing was stored
//! ([`unconfirmed`]). After any other error the connection is closed, and the next claim of the room type finds out.
//! When the database refuses values, a second transaction writes the batch in parts ([`sql::Isolation`]) and leaves the
//! refused entries out. The server logs each refused part.
//!
//! One batch waits a short time for a row that another program has locked ([`super::session::committing`]): of a room type,
//! its nights, its plans or its hotel. Then it is written without the room types that need the row, and so are the
//! following batches for a moment ([`Contested`]). A locked room type is skipped. Any other locked row is found like a
//! refusal, in parts that each wait briefly.

mod contested;
mod rows;
mod settings;

use std::collections::HashSet;

use anyhow::anyhow;
use sqlx::Row;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use uuid::Uuid;

use super::Postgres;
use super::pool::PooledConnection;
use crate::domain::RoomTypeId;
use crate::store::sql::{self, BatchState, Changes, Isolation};
use crate::store::{CommitEntry, CommitError, Error, Verdict};
pub(super) use contested::Contested;
use contested::Locked;
#[cfg(test)]
pub(super) use {rows::FORGET, rows::FREE, rows::WRITE, settings::STEPS};

pub(super) const CHECK: &str = concat!(include_str!("lock.sql"), include_str!("check.sql"));
/// The same statement without room types that are locked.
pub(super) const CHECK_UNLOCKED: &str = concat!(include_str!("lock.sql"), "SKIP LOCKED\n", include_str!("check.sql"));
/// Begins a transaction whose parts wait only briefly for a lock.
const BEGIN_BRIEFLY: &str = "BEGIN; SET LOCAL lock_timeout = '20ms'";
/// SQLSTATE of a lock time-out.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// The number of places in a transaction that event positions distinguish.
const PLACES: usize = 4_096;
/// How often a batch starts again because another commit was faster with an idempotency key or a room type.
const ATTEMPTS: usize = 4;

/// The constraint that a used idempotency key violates.
const KEYS: &str = "idempotency_records_pkey";

impl Postgres {
    pub(super) async fn commit_batch(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        if batch.len() > PLACES {
            return Err(CommitError::RolledBack(anyhow!("a batch has at most {PLACES} entries")));
        }
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        if self.contested.meets(batch) {
            return self.without_locked(batch).await;
        }
        match self.wholly(batch).await {
            // The other commits of this lane have waited long enough.
            Err(CommitError::RolledBack(error)) if is_locked(&*error) => {
                tracing::warn!("another program has locked rows of a room type: the batch is stored without it");
                self.without_locked(batch).await
            }
            decided => decided,
        }
    }

    async fn wholly(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        match self.at_once(batch).await? {
            AtOnce::Stored => Ok(vec![Verdict::Committed; batch.len()]),
            AtOnce::Refused => self.transaction(batch, Manner::InParts).await.map(Written::verdicts),
            AtOnce::NotAsExpected => match self.transaction(batch, Manner::Together).await {
                Err(CommitError::RolledBack(error)) if sql::contradicts(&*error) => {
                    self.transaction(batch, Manner::InParts).await.map(Written::verdicts)
                }
                decided => decided.map(Written::verdicts),
            },
        }
    }

    /// Leaves out locked room types, and those that need a locked row. Their actors claim them again; a claim waits for
    /// the lock of a room type outside the lane.
    async fn without_locked(&self, batch: &[CommitEntry]) -> Result<Vec<Verdict>, CommitError> {
        let left_out = self.contested.left_out(batch);
        let written = self.transaction(batch, Manner::WithoutLocked(&left_out)).await?;
        self.contested.learn(batch, &left_out, &written.locked);
        Ok(written.verdicts)
    }

    /// Commits the whole batch in one statement, if nothing prevents it.
    async fn at_once(&self, batch: &[CommitEntry]) -> Result<AtOnce, CommitError> {
        let Some(changes) = Changes::of_bookings(batch) else { return Ok(AtOnce::NotAsExpected) };
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let mut turn = self.writer.lend().await.map_err(rolled_back)?;
        match rows::write(&mut turn, &changes.rows(), 0).await {
            Ok(granted) => {
                turn.give_back();
                Ok(if granted { AtOnce::Stored } else { AtOnce::NotAsExpected })
            }
            Err(error) if error.as_database_error().is_some_and(is_overtaken) => {
                turn.give_back();
                Ok(AtOnce::NotAsExpected)
            }
            Err(error) if sql::contradicts(&error) => {
                turn.give_back();
                Ok(AtOnce::Refused)
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

    async fn transaction(&self, batch: &[CommitEntry], manner: Manner<'_>) -> Result<Written, CommitError> {
        let rolled_back = |error: sqlx::Error| CommitError::RolledBack(error.into());
        let begin = if let Manner::WithoutLocked(_) = manner { BEGIN_BRIEFLY } else { "BEGIN" };
        let mut turn = self.writer.begin(begin).await.map_err(rolled_back)?;
        for _ in 0..ATTEMPTS {
            match write(&mut turn, batch, manner).await {
                Ok(Some(written)) => {
                    turn.say("COMMIT").await.map_err(unconfirmed)?;
                    turn.give_back();
                    return Ok(written);
                }
                Ok(None) => {}
                Err(error) if sql::database_error(&error).is_some_and(is_overtaken) => {}
                Err(error) => {
                    // A server that did not answer is not asked again.
                    if sql::database_error(&error).is_some() && turn.say("ROLLBACK").await.is_ok() {
                        turn.give_back();
                    }
                    return Err(CommitError::RolledBack(error.into()));
                }
            }
            turn.say("ROLLBACK").await.map_err(rolled_back)?;
            turn.say(begin).await.map_err(rolled_back)?;
        }
        Err(CommitError::RolledBack(anyhow!(
            "other commits were faster with the same idempotency keys or room types each time"
        )))
    }
}

/// How a batch is written in full.
#[derive(Debug, Clone, Copy)]
enum Manner<'l> {
    /// All of it, or nothing.
    Together,
    /// Leaves out what the database refuses.
    InParts,
    /// Also leaves out what is locked, and these room types, which were locked a moment ago.
    WithoutLocked(&'l HashSet<RoomTypeId>),
}

/// The outcome of a batch that was written in full.
struct Written {
    verdicts: Vec<Verdict>,
    locked: Locked,
}

impl Written {
    fn of(verdicts: Vec<Verdict>) -> Self {
        Self { verdicts, locked: Locked::default() }
    }

    fn verdicts(self) -> Vec<Verdict> {
        self.verdicts
    }
}

/// The outcome of a batch in one statement.
enum AtOnce {
    Stored,
    /// Nothing was stored: keys, room types or other transactions differ from what the batch expects.
    NotAsExpected,
    /// Nothing was stored: the database refuses some values.
    Refused,
}

/// The meaning of an error that may follow a successful commit. Nothing was stored if the server says why: data or a
/// constraint, a state, a conflict or a rule, lack of space, a time-out of a lock or of the statement.
fn unconfirmed(error: sqlx::Error) -> CommitError {
    let never_sent = matches!(error, sqlx::Error::Encode(_) | sqlx::Error::PoolClosed);
    match never_sent || error.as_database_error().and_then(refusal).is_some_and(is_clear) {
        true => CommitError::RolledBack(error.into()),
        false => CommitError::UnknownOutcome(error.into()),
    }
}

/// Whether an SQLSTATE says that nothing was stored.
fn is_clear(code: &str) -> bool {
    const REASONS: [&str; 11] = ["0A", "22", "23", "25", "40", "42", "53", "54", "55", "57014", "P0"];
    // 40003 is "statement completion unknown".
    REASONS.iter().any(|class| code.starts_with(class)) && code != "40003"
}

/// Serialization failure or deadlock (class 40): retryable. Expired idempotency keys are deleted before others are
/// inserted, so not all batches lock keys in one order.
fn is_conflict(said: &dyn DatabaseError) -> bool {
    refusal(said).is_some_and(|code| code.starts_with("40") && is_clear(code))
}

/// The SQLSTATE of an error that left the session usable.
fn refusal(said: &dyn DatabaseError) -> Option<&str> {
    let said = said.try_downcast_ref::<PgDatabaseError>()?;
    (said.severity() == PgSeverity::Error).then(|| said.code())
}

/// Everything between BEGIN and COMMIT. `None`: start again.
async fn write(
    turn: &mut PooledConnection,
    batch: &[CommitEntry],
    manner: Manner<'_>,
) -> Result<Option<Written>, Error> {
    let Some(known) = check(turn, batch, manner).await? else { return Ok(None) };
    let mut verdicts = known.judge(batch);
    match manner {
        Manner::Together => {
            insert(turn, &known, &known.changes(batch, &verdicts), 0).await?;
            Ok(Some(Written::of(verdicts)))
        }
        Manner::InParts => {
            let isolation = write_parts(turn, &known, Isolation::of_refused(batch, verdicts), false).await?;
            Ok(Some(Written::of(isolation.into_verdicts())))
        }
        Manner::WithoutLocked(left_out) => {
            for (_, verdict) in batch.iter().zip(&mut verdicts).filter(|(entry, _)| left_out.contains(&entry.room_type))
            {
                *verdict = Verdict::Fenced;
            }
            let isolation = write_parts(turn, &known, Isolation::of(batch, verdicts), true).await?;
            let skipped = batch.iter().map(|entry| entry.room_type).filter(|id| !known.has(*id)).collect();
            let locked = Locked { skipped, waited_for: isolation.locked().clone() };
            Ok(Some(Written { verdicts: isolation.into_verdicts(), locked }))
        }
    }
}

/// Writes part after part, each behind a savepoint. With `skips_locked`, a lock time-out leaves the culprit out.
async fn write_parts<'b>(
    turn: &mut PooledConnection,
    known: &BatchState,
    mut isolation: Isolation<'b>,
    skips_locked: bool,
) -> Result<Isolation<'b>, Error> {
    while let Some(part) = isolation.next_part() {
        turn.say("SAVEPOINT part").await?;
        let changes = known.changes(isolation.entries(&part), isolation.verdicts(&part));
        match insert(turn, known, &changes, isolation.stored_before(&part)).await {
            Err(error) if sql::contradicts(&error) && !sql::database_error(&error).is_some_and(is_overtaken) => {
                turn.say("ROLLBACK TO part").await?;
                isolation.refused(part, &error);
            }
            Err(error) if skips_locked && is_locked(&error) => {
                turn.say("ROLLBACK TO part").await?;
                isolation.blocked(part);
            }
            inserted => inserted?,
        }
        turn.say("RELEASE part").await?;
    }
    Ok(isolation)
}

/// Locks the room types, and reads what the verdicts depend on. `None`: it had to wait for another commit of them. Its
/// transaction number may then be lower than that commit's, and event positions are made of transaction numbers.
async fn check(
    turn: &mut PooledConnection,
    batch: &[CommitEntry],
    manner: Manner<'_>,
) -> Result<Option<BatchState>, Error> {
    let mut room_types: Vec<Uuid> = batch.iter().map(|entry| entry.room_type.0).collect();
    room_types.sort_unstable();
    room_types.dedup();
    let keys: Vec<&[u8]> =
        batch.iter().filter_map(|entry| entry.record.as_ref()).map(|(key, _)| key.0.as_slice()).collect();
    let check = if let Manner::WithoutLocked(_) = manner { CHECK_UNLOCKED } else { CHECK };
    let row = turn.one(sqlx::query(check).bind(room_types).bind(keys)).await?;
    match row.try_get("waited")? {
        true => Ok(None),
        false => BatchState::read(&row).map(Some),
    }
}

/// Writes the rows. `place`: the events already written in this transaction.
async fn insert(
    turn: &mut PooledConnection,
    known: &BatchState,
    changes: &Changes<'_>,
    place: usize,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows = changes.rows();
    settings::before(turn.connection()?, &rows).await?;
    rows::make_room(turn, known, &rows).await?;
    match rows::write(turn, &rows, place).await? {
        true => settings::after(turn.connection()?, &rows).await,
        false => Err(Error::Unavailable(anyhow!("locked room types have changed"))),
    }
}

/// Whether another program holds a lock.
fn is_locked(error: &(dyn std::error::Error + 'static)) -> bool {
    sql::database_error(error).and_then(refusal) == Some(LOCK_NOT_AVAILABLE)
}

/// Whether another commit was faster with an idempotency key, or won a deadlock.
fn is_overtaken(said: &dyn DatabaseError) -> bool {
    said.constraint() == Some(KEYS) || is_conflict(said)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_check("23514")]
    #[case::a_standby("25006")]
    #[case::a_deadlock("40P01")]
    #[case::no_right_to_it("42501")]
    #[case::too_much_for_a_statement("54000")]
    #[case::a_trigger_of_somebody_else("P0001")]
    #[case::a_full_disk("53100")]
    #[case::a_lock_that_is_not_given_up("55P03")]
    #[case::a_statement_that_takes_too_long("57014")]
    fn a_server_that_says_why_has_stored_nothing(#[case] code: &str) {
        assert!(is_clear(code));
    }

    #[rstest]
    #[case::a_proxy_that_lost_the_server("08006")]
    #[case::nobody_knows("40003")]
    #[case::an_administrator("57P01")]
    #[case::a_crash("57P02")]
    #[case::a_mistake_of_the_server("XX000")]
    fn anything_else_leaves_a_doubt(#[case] code: &str) {
        assert!(!is_clear(code));
    }

    #[test]
    fn silence_leaves_a_doubt_and_what_was_never_sent_does_not() {
        let silent = unconfirmed(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        assert!(matches!(silent, CommitError::UnknownOutcome(_)), "{silent:?}");
        let never_sent = unconfirmed(sqlx::Error::PoolClosed);
        assert!(matches!(never_sent, CommitError::RolledBack(_)), "{never_sent:?}");
    }
}

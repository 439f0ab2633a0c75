//! Writes outside of commits, and the trial write of a suspect database.

use super::Postgres;
use super::pool::PgQuery;
use crate::store::{Error, sql};

/// A row as large as many bookings. It hardly compresses, so it needs space on the disk. It is rolled back.
const TRIAL: &str = "
    INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
    SELECT
        decode(md5(random()::text), 'hex'), '', 'trial',
        to_json((SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 8192))), 0";

impl Postgres {
    /// Runs one writing statement in its own transaction. Returns the number of changed rows.
    pub(super) async fn write(&self, statement: PgQuery<'_>) -> Result<u64, sqlx::Error> {
        let written = self.pool.execute(statement).await;
        if written.as_ref().is_err_and(|error| !sql::contradicts(error)) {
            self.writable.suspect();
        }
        written
    }

    /// Tries to write: fails on a read-only or full database.
    pub(super) async fn try_to_write(&self) -> Result<(), Error> {
        let mut trying = self.pool.begin("BEGIN").await?;
        trying.execute(sqlx::query(TRIAL)).await?;
        trying.say("ROLLBACK").await?;
        trying.give_back();
        Ok(())
    }
}

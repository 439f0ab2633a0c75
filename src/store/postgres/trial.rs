//! Writes outside of the commits, and the trial of a database in which nothing could be written.

use super::Postgres;
use super::pool::PgQuery;
use crate::store::{Error, sql};

/// A row as large as many bookings, which does not compress well: it needs room of its own. It is rolled back.
const TRIAL: &str = "
    INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
    SELECT
        decode(md5(random()::text), 'hex'), '', 'trial',
        to_json((SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 8192))), 0";

impl Postgres {
    /// One statement that writes, in a transaction of its own; how many rows it changed.
    pub(super) async fn write(&self, statement: PgQuery<'_>) -> Result<u64, sqlx::Error> {
        let written = self.pool.execute(statement).await;
        if written.as_ref().is_err_and(|error| !sql::contradicts(error)) {
            self.writable.suspect();
        }
        written
    }

    /// Whether the database takes a write: it is not read-only, and has room.
    pub(super) async fn try_to_write(&self) -> Result<(), Error> {
        let mut trying = self.pool.begin("BEGIN").await?;
        trying.execute(sqlx::query(TRIAL)).await?;
        trying.say("ROLLBACK").await?;
        trying.give_back();
        Ok(())
    }
}

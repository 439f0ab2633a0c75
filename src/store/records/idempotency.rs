//! Idempotency records, as far as housekeeping needs them. Commits write them; the look-up of keys is hot, and stays with
//! each database.

use crate::domain::Timestamp;
use crate::store::Error;
use crate::store::db::{Connection, Dialect, Statement};

/// Leaves alone what a commit uses again at this moment, or another node deletes.
pub fn delete_expired_text(dialect: &Dialect) -> String {
    format!(
        "WITH expired AS MATERIALIZED (
             SELECT key FROM idempotency_records WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2{}
         )
         DELETE FROM idempotency_records WHERE key IN (SELECT key FROM expired)",
        dialect.skip_locked
    )
}

/// Deletes at most `limit` records that expired before `now`; how many there were.
pub async fn delete_expired(writing: &mut Connection<'_>, now: Timestamp, limit: u32) -> Result<u64, Error> {
    writing.execute(Statement::new(delete_expired_text(writing.dialect())).bind(now).bind(limit)).await
}

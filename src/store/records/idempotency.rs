//! Idempotency records of what is not a fact, and the deletion of old records. A commit writes the records of its facts. The
//! look-up of keys is on the hot path, so each database has its own.

use crate::domain::Timestamp;
use crate::store::db::{Connection, Dialect, Statement, Value};
use crate::store::{Error, NewRecord};

/// Overwrites a record that expired before $6.
pub const INSERT: &str = "
    INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint, kind = excluded.kind, answer = excluded.answer,
        expires_at = excluded.expires_at, principal = excluded.principal
    WHERE idempotency_records.expires_at <= $6";

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

/// Whether the key was unused. Waits for a transaction that uses it at the same time.
pub async fn insert(writing: &mut Connection<'_>, new: &NewRecord) -> Result<bool, Error> {
    let record = &new.record;
    let insert = Statement::new(INSERT)
        .bind(new.key.0.as_slice())
        .bind(record.fingerprint.0.as_slice())
        .bind(record.answer.kind())
        .bind(Value::json(&record.answer)?)
        .bind(record.expires_at)
        .bind(new.at);
    Ok(writing.execute(insert).await? > 0)
}

/// Deletes at most `limit` records that expired before `now`; how many there were.
pub async fn delete_expired(writing: &mut Connection<'_>, now: Timestamp, limit: u32) -> Result<u64, Error> {
    writing.execute(Statement::new(delete_expired_text(writing.dialect())).bind(now).bind(limit)).await
}

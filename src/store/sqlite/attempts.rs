//! Idempotency records.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::rows::Columns;
use crate::domain::Timestamp;
use crate::store::{Attempt, Error, Fingerprint, KeyDigest};

pub(super) const RECALL: &str = "
    SELECT key, fingerprint, answer, expires_at FROM attempts
    WHERE key IN (SELECT unhex(value) FROM json_each($1)) AND expires_at > $2";
pub(super) const FORGET: &str = "
    DELETE FROM attempts
    WHERE key IN (SELECT key FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

impl Sqlite {
    pub(super) async fn recall_attempts(
        &self,
        keys: &[KeyDigest],
        now: Timestamp,
    ) -> Result<HashMap<KeyDigest, Attempt>, Error> {
        let keys = serde_json::Value::from_iter(keys.iter().map(|key| HEXLOWER.encode(&key.0))).to_string();
        let rows = sqlx::query(RECALL).bind(keys).bind(now.as_microsecond()).fetch_all(&self.readers).await?;
        rows.iter().map(attempt).collect()
    }

    pub(super) async fn delete_attempts(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let query = sqlx::query(FORGET).bind(now.as_microsecond()).bind(i64::from(limit));
        Ok(self.writer.execute(query).await?)
    }
}

fn attempt(row: &SqliteRow) -> Result<(KeyDigest, Attempt), Error> {
    let key = KeyDigest(row.bytes("key")?);
    let fingerprint = Fingerprint(row.bytes("fingerprint")?);
    let (answer, expires_at) = (Arc::new(row.json("answer")?), row.instant("expires_at")?);
    Ok((key, Attempt { fingerprint, answer, expires_at }))
}

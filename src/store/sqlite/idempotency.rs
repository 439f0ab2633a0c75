//! Idempotency records.

use std::collections::HashMap;

use data_encoding::HEXLOWER;

use super::Sqlite;
use crate::domain::Timestamp;
use crate::store::sql;
use crate::store::{Error, IdempotencyRecord, KeyDigest};

pub(super) const RECALL: &str = "
    SELECT key, fingerprint, answer, expires_at FROM attempts
    WHERE key IN (SELECT unhex(value) FROM json_each($1)) AND expires_at > $2";
pub(super) const FORGET: &str = "
    DELETE FROM attempts
    WHERE key IN (SELECT key FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

impl Sqlite {
    pub(super) async fn recall_idempotency_records(
        &self,
        keys: &[KeyDigest],
        now: Timestamp,
    ) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        let keys = serde_json::Value::from_iter(keys.iter().map(|key| HEXLOWER.encode(&key.0))).to_string();
        let rows = sqlx::query(RECALL).bind(keys).bind(now.as_microsecond()).fetch_all(&self.readers).await?;
        rows.iter().map(sql::record).collect()
    }

    pub(super) async fn delete_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let query = sqlx::query(FORGET).bind(now.as_microsecond()).bind(i64::from(limit));
        Ok(self.writer.execute(query).await?)
    }
}

//! Idempotency records.

use std::collections::HashMap;

use super::Postgres;
use crate::domain::Timestamp;
use crate::store::sql;
use crate::store::{Error, IdempotencyRecord, KeyDigest};

/// Written so that it looks the same to the planner for any arguments: then it is planned once. Planning it each time takes
/// longer than doing it.
pub(super) const RECALL: &str = "
    SELECT key, fingerprint, answer, expires_at FROM attempts
    WHERE key = ANY (ARRAY(SELECT unnest($1::bytea[]))) AND expires_at + 0 > $2";
/// What a commit is just using again, or another node just deleting, is left alone.
pub(super) const FORGET: &str = "
    DELETE FROM attempts
    WHERE key = ANY (ARRAY(
        SELECT key FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))";

impl Postgres {
    pub(super) async fn recall_idempotency_records(
        &self,
        keys: &[KeyDigest],
        now: Timestamp,
    ) -> Result<HashMap<KeyDigest, IdempotencyRecord>, Error> {
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows = self.pool.all(sqlx::query(RECALL).bind(keys).bind(now.as_microsecond())).await?;
        rows.iter().map(sql::record).collect()
    }

    pub(super) async fn delete_idempotency_records(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let query = sqlx::query(FORGET).bind(now.as_microsecond()).bind(i64::from(limit));
        Ok(self.write(query).await?)
    }
}

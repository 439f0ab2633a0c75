//! The look-up of idempotency keys.

use std::collections::HashMap;

use super::Postgres;
use crate::domain::Timestamp;
use crate::store::sql;
use crate::store::{Error, IdempotencyRecord, KeyDigest};

/// Written so that it looks the same to the planner for any arguments: then it is planned once. Planning it each time takes
/// longer than doing it.
pub(super) const RECALL: &str = "
    SELECT key, fingerprint, kind, answer, expires_at FROM idempotency_records
    WHERE key = ANY (ARRAY(SELECT unnest($1::bytea[]))) AND expires_at + 0 > $2";

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
}

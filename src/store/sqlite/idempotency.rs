//! The look-up of idempotency keys.

use std::collections::HashMap;

use data_encoding::HEXLOWER;

use super::Sqlite;
use crate::domain::Timestamp;
use crate::store::sql;
use crate::store::{Error, IdempotencyRecord, KeyDigest};

pub(super) const RECALL: &str = "
    SELECT key, fingerprint, kind, answer, expires_at FROM idempotency_records
    WHERE key IN (SELECT unhex(value) FROM json_each($1)) AND expires_at > $2";

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
}

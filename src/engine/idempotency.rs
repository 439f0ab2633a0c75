//! Idempotency: one key, one effect, one answer.
//!
//! A key is looked up in memory, then in the store. Only then is its request decided, and only once. Other requests that
//! arrive with the same key meanwhile join the first and get its result, even if it is a refusal. If the first request was
//! dropped before its decision, because its own client is gone, the others begin anew.
//!
//! The record of a key is committed together with the effect, so it survives a crash. Refusals are not recorded, so a
//! client can try the same key again. Only a refusal by the database is remembered, in memory for a minute: trying it
//! again would make the actor reload again.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use moka::future::Cache;
use tokio::time::Instant;

use super::batch_loader::BatchLoader;
use super::message::{Failure, UnusedKey};
use super::{Error, Key, Outcome};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{Answer, Fingerprint, IdempotencyRecord, Journal, KeyDigest};

/// Bytes of answers in memory, approximately. The store has all records.
const IN_MEMORY: u64 = 32 * 1024 * 1024;

pub(super) struct IdempotencyRecords {
    recent: Cache<KeyDigest, IdempotencyRecord>,
    /// Keys of requests that the database refused recently, with the fingerprint of the request.
    unstorable: moka::sync::Cache<KeyDigest, [u8; 32]>,
    stored: BatchLoader<KeyDigest, Option<IdempotencyRecord>>,
    clock: Arc<dyn Clock>,
    ttl: SignedDuration,
}

/// How long a refusal by the database is remembered, and how many are.
const REFUSED_FOR: Duration = Duration::from_secs(60);
const REFUSED_AT_MOST: u64 = 10_000;

/// The failure of a request, with the fingerprint of its key.
struct Failed {
    fingerprint: Fingerprint,
    error: Error,
}

impl IdempotencyRecords {
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, ttl: Duration) -> Self {
        let recent = Cache::builder().weigher(weight).max_capacity(IN_MEMORY).time_to_live(ttl).build();
        let now = clock.clone();
        let stored = BatchLoader::start(move |keys: Arc<[KeyDigest]>| {
            let (journal, now) = (journal.clone(), now.now());
            async move {
                let found = journal.recall(&keys, now).await?;
                Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
            }
        });
        let unstorable = moka::sync::Cache::builder().max_capacity(REFUSED_AT_MOST).time_to_live(REFUSED_FOR).build();
        Self { recent, unstorable, stored, clock, ttl: SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX) }
    }

    /// The record of a request that was answered at `at`.
    pub fn record(&self, key: Key, answer: Answer, at: Timestamp) -> IdempotencyRecord {
        let expires_at = at.saturating_add(self.ttl).unwrap_or(Timestamp::MAX);
        IdempotencyRecord { fingerprint: key.fingerprint, answer, expires_at }
    }

    /// The first answer under this key. Without one, the result of `work`, which has stored the record.
    pub async fn once<F>(&self, key: Key, work: impl Fn(UnusedKey) -> F + Send + Sync) -> Result<Outcome, Error>
    where
        F: Future<Output = Result<IdempotencyRecord, Failure>> + Send,
    {
        loop {
            let mut joined = true;
            match self.join(key, &work, &mut joined).await {
                Err(Error::Expired) if joined => {}
                done => return done,
            }
        }
    }

    /// Like [`IdempotencyRecords::once`], but the request that it joined may be dropped before its decision. `joined`
    /// says whether it joined the request of another caller.
    async fn join<F>(
        &self,
        key: Key,
        work: &(impl Fn(UnusedKey) -> F + Send + Sync),
        joined: &mut bool,
    ) -> Result<Outcome, Error>
    where
        F: Future<Output = Result<IdempotencyRecord, Failure>> + Send,
    {
        if self.unstorable.get(&key.digest) == Some(key.fingerprint.0) {
            return Err(Error::Unstorable);
        }
        let mut fresh = false;
        let now = self.clock.now();
        if self.recent.get(&key.digest).await.is_some_and(|record| record.expires_at <= now) {
            self.recent.invalidate(&key.digest).await;
        }
        let first = async {
            *joined = false;
            let fail = |error| Failed { fingerprint: key.fingerprint, error };
            let unused = UnusedKey { key, looked_up_at: Instant::now() };
            if let Some(record) = self.stored.load(key.digest).await.map_err(fail)? {
                return Ok(record);
            }
            match work(unused).await {
                Ok(record) => {
                    fresh = true;
                    Ok(record)
                }
                // Another node used the key first.
                Err(Failure::KeyTaken) => {
                    let record = self.stored.load(key.digest).await.map_err(fail)?;
                    record.ok_or_else(|| fail(Error::Interrupted))
                }
                Err(Failure::RecheckKey(error)) => {
                    let record = self.stored.load(key.digest).await.map_err(fail)?;
                    record.ok_or_else(|| fail(error))
                }
                Err(Failure::ConflictWithStore) => Err(fail(Error::Unstorable)),
                Err(Failure::Error(error)) => Err(fail(error)),
                Err(Failure::Retired) => Err(fail(Error::Interrupted)),
            }
        };
        match self.recent.try_get_with(key.digest, first).await {
            Ok(record) if record.fingerprint == key.fingerprint => {
                Ok(Outcome { answer: record.answer, replayed: !fresh })
            }
            Ok(_) => Err(Error::KeyReused),
            // Nothing was done under this key, so its fingerprint does not matter.
            Err(failed) if matches!(failed.error, Error::Expired) => Err(Error::Expired),
            Err(failed) if failed.fingerprint == key.fingerprint => {
                if let Error::Unstorable = failed.error {
                    self.unstorable.insert(key.digest, key.fingerprint.0);
                }
                Err(failed.error.clone())
            }
            Err(_) => Err(Error::KeyReused),
        }
    }
}

fn weight(_: &KeyDigest, record: &IdempotencyRecord) -> u32 {
    u32::try_from(record.answer.bytes()).unwrap_or(u32::MAX)
}

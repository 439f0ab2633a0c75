//! Creation of rate plans, hotels, room types and services: once per idempotency key.
//!
//! A rate plan is a fact, which its room type's actor decides. The others are rows that no actor decides about: the caller
//! stores them together with the record of their key.

use tracing::warn;

use super::message::{Failure, Intent};
use super::{Engine, Error, Key, Outcome};
use crate::domain::RatePlan;
use crate::store::{self, Answer, NewRecord};

impl Engine {
    /// Creates a rate plan.
    pub async fn create_rate_plan(&self, plan: RatePlan, key: Option<Key>) -> Result<Outcome, Error> {
        self.command(plan.room_type_id, Intent::SetRatePlan { seen: None, plan }, key, false).await
    }

    /// Creates an object that no actor decides about, once per key. `insert` stores it together with the record in one
    /// transaction, and returns whether the key was unused.
    pub async fn create_once<F>(
        &self,
        key: Key,
        object: Answer,
        insert: impl Fn(NewRecord) -> F + Send + Sync,
    ) -> Result<Outcome, Error>
    where
        F: Future<Output = Result<bool, store::Error>> + Send,
    {
        let at = self.shared.clock.now();
        let record = self.shared.idempotency.record(key, object, at);
        let work = |_unused| {
            let stored = insert(NewRecord { key: key.digest, record: record.clone(), at });
            let record = record.clone();
            async move {
                match stored.await {
                    Ok(true) => Ok(record),
                    Ok(false) => Err(Failure::KeyTaken),
                    Err(store::Error::Refused(_)) => Err(Error::Unstorable.into()),
                    // The COMMIT itself may have failed, and then the record says whether it succeeded.
                    Err(error) => {
                        warn!(error = &error as &dyn std::error::Error, "an object of the catalogue may not be stored");
                        Err(Failure::RecheckKey(Error::Interrupted))
                    }
                }
            }
        };
        self.shared.idempotency.once(key, work).await
    }
}

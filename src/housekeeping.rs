//! Housekeeping: what has to be looked after now and then, in small portions, so that it never stands in a booking's
//! way.
//!
//! Started by `app.rs`, ended with it. What fails is logged and tried again a minute later: nothing depends on it, as
//! what has expired counts as absent wherever it is asked for. What is deleted is old by this node's clock and by the
//! store's, as it belongs to all nodes.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::engine::Engine;
use crate::http::throttle::Throttle;
use crate::store::{Error, Store};

const EVERY: Duration = Duration::from_secs(60);
/// Records per transaction: a few milliseconds of the only writer.
const PORTION: u32 = 500;

/// Forgets expired idempotency keys, for ever.
pub async fn forget_attempts(store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
    let delete = || {
        let (store, now) = (store.clone(), clock.now());
        async move { store.forget_attempts(store.time(now).await?, PORTION).await }
    };
    again_and_again("expired idempotency keys", delete).await;
}

/// Deletes events older than `keep`, for ever.
pub async fn trim_events(store: Arc<dyn Store>, clock: Arc<dyn Clock>, keep: Duration) {
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    let delete = || {
        let (store, now) = (store.clone(), clock.now());
        async move {
            let oldest = store.time(now).await?.saturating_sub(keep).unwrap_or(Timestamp::MIN);
            store.trim_events(oldest, PORTION).await
        }
    };
    again_and_again("old events", delete).await;
}

/// Forgets public callers who have all their allowance again, for ever.
pub async fn forget_callers(throttle: Throttle, clock: Arc<dyn Clock>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        throttle.forget(clock.now());
    }
}

async fn again_and_again<F: Future<Output = Result<u64, Error>>>(what: &'static str, delete: impl Fn() -> F) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match all_due(&delete).await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(what, deleted, "tidied up"),
            Err(error) => tracing::warn!(what, error = &error as &dyn std::error::Error, "could not tidy up"),
        }
    }
}

/// Sees to it that every room type with a hold has an actor whose timer runs, and that nothing stays in doubt, for ever:
/// an actor that could not load when it was woken has gone again. The start itself has just done the same.
pub async fn watch_holds(engine: Engine) {
    let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = engine.recover().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not look for holds");
        }
    }
}

/// Portion after portion, until one is not full.
async fn all_due<F: Future<Output = Result<u64, Error>>>(delete: impl Fn() -> F) -> Result<u64, Error> {
    let mut deleted = 0;
    loop {
        let portion = delete().await?;
        deleted += portion;
        if portion < u64::from(PORTION) {
            return Ok(deleted);
        }
        tokio::task::yield_now().await;
    }
}

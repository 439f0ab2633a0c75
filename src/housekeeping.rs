//! Housekeeping: periodic deletion in small portions, so that it never delays a booking.
//!
//! Started by `app.rs` as supervised [`crate::tasks`]. A failure is logged and tried again a minute later. Nothing depends
//! on it: an expired record counts as absent everywhere. A record is deleted only when it is old by this node's clock and
//! by the store's, because all nodes share it.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::engine::Engine;
use crate::http::throttle::Throttle;
use crate::store::{Error, Size, Store};
use crate::tasks::{Policy, Tasks};

const EVERY: Duration = Duration::from_secs(60);
/// Records per transaction: a few milliseconds of the only writer.
const PORTION: u32 = 500;

/// Starts the tasks that delete expired idempotency records, and events older than `keep_events`.
pub fn delete_old(tasks: &Tasks, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, keep_events: Duration) {
    let keep_events = SignedDuration::try_from(keep_events).unwrap_or(SignedDuration::MAX);
    let (records, events) = ((store.clone(), clock.clone()), (store.clone(), clock.clone()));
    tasks.spawn("expired_idempotency_records", Policy::Restart, move |stop| {
        let (store, clock) = records.clone();
        every_minute(stop, move || delete_expired_records(store.clone(), clock.now()))
    });
    tasks.spawn("old_events", Policy::Restart, move |stop| {
        let (store, clock) = events.clone();
        every_minute(stop, move || delete_old_events(store.clone(), clock.now(), keep_events))
    });
}

/// Starts the task that starts an actor for every room type with a hold, so that its timer runs, and that settles commits
/// of unknown outcome. An actor that could not load earlier has ended. The start of the process has just done the same.
pub fn watch_holds(tasks: &Tasks, engine: Engine) {
    tasks.spawn("holds", Policy::Restart, move |stop| recover_every_minute(engine.clone(), stop));
}

/// Starts the task that forgets public callers whose allowance is full again.
pub fn forget_callers(tasks: &Tasks, throttle: Throttle, clock: Arc<dyn Clock>) {
    tasks.spawn("callers", Policy::Restart, move |stop| {
        let (throttle, clock) = (throttle.clone(), clock.clone());
        async move {
            let mut ticks = ticks(Instant::now() + EVERY);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                throttle.forget(clock.now());
            }
        }
    });
}

/// Starts the task that measures the store.
pub fn measure(tasks: &Tasks, store: Arc<dyn Store>) {
    tasks.spawn("measuring", Policy::Restart, move |stop| {
        let store = store.clone();
        async move {
            let mut ticks = ticks(Instant::now());
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                let Some(measured) = stop.run_until_cancelled(store.size()).await else { return };
                match measured {
                    Ok(Size { database, wal }) => {
                        metrics::gauge!("innkeeper_database_bytes").set(database as f64);
                        metrics::gauge!("innkeeper_database_wal_bytes").set(wal as f64);
                    }
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "the store cannot be measured");
                    }
                }
            }
        }
    });
}

async fn delete_expired_records(store: Arc<dyn Store>, now: Timestamp) -> Result<u64, Error> {
    store.forget_idempotency_records(store.time(now).await?, PORTION).await
}

async fn delete_old_events(store: Arc<dyn Store>, now: Timestamp, keep: SignedDuration) -> Result<u64, Error> {
    let oldest = store.time(now).await?.saturating_sub(keep).unwrap_or(Timestamp::MIN);
    store.trim_events(oldest, PORTION).await
}

/// Deletes all expired rows once a minute, until `stop`.
async fn every_minute<F: Future<Output = Result<u64, Error>>>(stop: CancellationToken, delete: impl Fn() -> F) {
    let mut ticks = ticks(Instant::now());
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match all_due(&stop, &delete).await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "expired rows were deleted"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "expired rows cannot be deleted"),
        }
    }
}

async fn recover_every_minute(engine: Engine, stop: CancellationToken) {
    let mut ticks = ticks(Instant::now() + EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = engine.recover().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the search for holds failed");
        }
    }
}

fn ticks(first: Instant) -> Interval {
    let mut ticks = tokio::time::interval_at(first, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Deletes portions until one is not full.
async fn all_due<F: Future<Output = Result<u64, Error>>>(
    stop: &CancellationToken,
    delete: impl Fn() -> F,
) -> Result<u64, Error> {
    let mut deleted = 0;
    loop {
        let portion = delete().await?;
        deleted += portion;
        if portion < u64::from(PORTION) || stop.is_cancelled() {
            return Ok(deleted);
        }
        tokio::task::yield_now().await;
    }
}

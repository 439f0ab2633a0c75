//! Housekeeping: what has to be looked after now and then, in small portions, so that it never stands in a booking's
//! way.
//!
//! Started by `app.rs`, ended with it. What fails is logged and tried again a minute later: nothing depends on it, as
//! what has expired counts as absent wherever it is asked for.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::engine::Engine;
use crate::store::{Error, Ledger};

const EVERY: Duration = Duration::from_secs(60);
/// Records per transaction: a few milliseconds of the only writer.
const PORTION: u32 = 500;

/// Forgets expired idempotency keys, for ever.
pub async fn forget_attempts<L: Ledger + ?Sized>(ledger: Arc<L>, clock: Arc<dyn Clock>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match forget_due(&*ledger, &*clock).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "forgot expired idempotency keys"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not forget expired keys"),
        }
    }
}

/// Sees to it that every room type with a hold has an actor whose timer runs, for ever: one that could not load when it
/// was woken has gone again.
pub async fn watch_holds(engine: Engine) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = engine.recover().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not look for holds");
        }
    }
}

/// Portion after portion, until one is not full.
async fn forget_due<L: Ledger + ?Sized>(ledger: &L, clock: &dyn Clock) -> Result<u64, Error> {
    let mut forgotten = 0;
    loop {
        let portion = ledger.forget_attempts(clock.now(), PORTION).await?;
        forgotten += portion;
        if portion < u64::from(PORTION) {
            return Ok(forgotten);
        }
        tokio::task::yield_now().await;
    }
}

//! `--demo`: data for a first try.
//!
//! Fills an empty catalogue with `hotels` and their `guests` through the catalogue and the engine, as an administrator
//! does. Prints a `banner` with a curl line that books a room. A database that has hotels is not changed.

mod banner;
mod fill;
mod guests;
mod hotels;
mod ids;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;

use crate::app::{self, Running};
use crate::clock::{Clock, IdSource, ManualClock, System};
use crate::domain::Timestamp;
use crate::engine::{self, Engine};
use crate::secret::Secret;
use crate::store::Store;
use ids::Ids;

/// The time-out of one change. It is long, because the demo cannot repeat a change.
const PATIENCE: Duration = Duration::from_secs(120);

const UNFINISHED: &str = "the demo's hotels are incomplete: delete this database and start again";

/// Fills an empty catalogue and adds guests, before the server starts. It uses an engine of its own that owns every room
/// type; a node of a cluster does not own all of them.
pub async fn furnish(store: &Arc<dyn Store>, options: &engine::Options) -> anyhow::Result<()> {
    if !store.is_empty().await? {
        return Ok(());
    }
    let now = System.now();
    let clock = Arc::new(ManualClock::at(now - SignedDuration::from_hours(24 * guests::DAYS_BEFORE)));
    let options = &engine::Options { answer_within: PATIENCE, ..options.clone() };
    let engine = app::start_engine(options, store.clone(), clock.clone());
    let furnished = async {
        fill(&**store, &engine, clock.now()).await?;
        guests::arrive(&**store, &engine, &clock, now).await.context(UNFINISHED)
    };
    let furnished = furnished.await;
    engine.shutdown().await;
    furnished
}

/// Fills an empty catalogue. `now` is the application's time.
pub async fn fill(store: &dyn Store, engine: &Engine, now: Timestamp) -> anyhow::Result<()> {
    if store.is_empty().await? {
        let filled = fill::fill(store, engine, &Ids::new(&System), now).await;
        filled.context(UNFINISHED)?;
    }
    Ok(())
}

/// The greeting, with the administrator's token if it was made for this run. `now` is the application's time.
pub async fn greeting(running: &Running, now: Timestamp, made: Option<&Secret>) -> anyhow::Result<String> {
    let sample = sample::find(&*running.store, now).await?;
    Ok(banner::text(&running.url(), made, sample.as_ref(), &System.next()))
}

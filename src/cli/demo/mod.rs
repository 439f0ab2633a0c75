//! `--demo`: something to look at on a fresh machine.
//!
//! Fills an empty catalogue with `hotels` the way an administrator would (catalogue and engine, no back door), and
//! greets with a `banner` whose curl line really books. A database that has hotels keeps exactly those.

mod banner;
mod fill;
mod hotels;
mod ids;
mod sample;

use std::sync::Arc;

use crate::app::{self, Running};
use crate::clock::{Clock, IdSource, System};
use crate::config::Secret;
use crate::domain::Timestamp;
use crate::engine::{self, Engine};
use crate::store::Store;
use ids::Ids;

/// Fills the catalogue if it is empty, before anybody serves it: by an engine that owns every room type, which a node of
/// a cluster does not.
pub async fn furnish(store: &Arc<dyn Store>, options: &engine::Options) -> anyhow::Result<()> {
    let engine = app::start_engine(options, store.clone(), Arc::new(System));
    let filled = fill(&**store, &engine, System.now()).await;
    engine.shutdown().await;
    filled
}

/// Fills the catalogue if it is empty. `now` is the application's time.
pub async fn fill(store: &dyn Store, engine: &Engine, now: Timestamp) -> anyhow::Result<()> {
    if store.is_empty().await? {
        fill::fill(store, engine, &Ids::new(&System), now).await?;
    }
    Ok(())
}

/// The greeting, with the administrator's token if it was made for this run. `now` is the application's time.
pub async fn greeting(running: &Running, now: Timestamp, made: Option<&Secret>) -> anyhow::Result<String> {
    let sample = sample::find(&*running.store, now).await?;
    Ok(banner::text(&running.url(), made, sample.as_ref(), &System.next()))
}

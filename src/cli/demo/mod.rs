//! `serve --demo`: something to look at on a fresh machine.
//!
//! Fills an empty catalogue with `hotels` the way an administrator would (catalogue and engine, no back door), and
//! greets with a `banner` whose curl line really books. A database that has hotels keeps exactly those.

mod banner;
mod fill;
mod hotels;
mod ids;
mod sample;

use crate::app::Running;
use crate::clock::{IdSource, System};
use crate::config::Secret;
use crate::domain::Timestamp;
use ids::Ids;

/// Fills the catalogue if it is empty; the greeting, with the administrator's token if it was made for this run. `now` is
/// the application's time.
pub async fn prepare(running: &Running, now: Timestamp, made: Option<&Secret>) -> anyhow::Result<String> {
    if running.store.is_empty().await? {
        fill::fill(running, &Ids::new(&System), now).await?;
    }
    let sample = sample::find(&*running.store, now).await?;
    Ok(banner::text(&running.url(), made, sample.as_ref(), &System.next()))
}

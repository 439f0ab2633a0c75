//! `serve --demo`: something to look at on a fresh machine.
//!
//! Fills an empty catalogue with [`hotels`] the way an administrator would (catalogue and engine, no back door), and
//! greets with a [`banner`] whose curl line really books. A database that has hotels keeps exactly those.

mod banner;
mod fill;
mod hotels;
mod sample;

use crate::app::Running;
use crate::clock::{Clock, IdSource, System};
use crate::config::Secret;

/// Fills the catalogue if it is empty; the greeting, with the administrator's token if it was made for this run.
pub async fn prepare(running: &Running, made: Option<&Secret>) -> anyhow::Result<String> {
    let now = System.now();
    if running.store.is_empty().await? {
        fill::fill(running, &System, now).await?;
    }
    let sample = sample::find(&*running.store, now).await?;
    Ok(banner::text(&running.url(), made, sample.as_ref(), &System.next()))
}

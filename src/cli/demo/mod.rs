//! `serve --demo`: something to look at on a fresh machine.
//!
//! Fills an empty catalogue with [`hotels`] the way an administrator would (catalogue and engine, no back door), and
//! greets with a [`banner`] whose curl line really books. A database that has hotels keeps exactly those.

mod banner;
mod fill;
mod hotels;
mod sample;

use crate::app::Running;
use crate::clock::{Clock, System};
use crate::config::Secret;

/// Fills the catalogue if it is empty, then greets.
pub async fn welcome(running: &Running, token: &Secret) -> anyhow::Result<()> {
    let now = System.now();
    if running.store.is_empty().await? {
        fill::fill(running, &System, now).await?;
    }
    let sample = sample::find(&*running.store, now).await?;
    print!("{}", banner::text(&running.url(), token, sample.as_ref(), &crate::clock::IdSource::next(&System)));
    Ok(())
}

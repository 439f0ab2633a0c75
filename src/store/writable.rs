//! Whether the store accepts writes, as far as is known.
//!
//! A store becomes suspect when a write fails for a reason other than its values: a full disk, a read-only file system,
//! a missing right. A suspect store is not ready until a trial write succeeds. No trial runs while the store is not
//! suspect.
//!
//! Limits: one trial a second, however many callers ask. A trial that takes longer than [`WITHIN`] has failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Error;

/// The pause between two trials.
const EVERY: Duration = Duration::from_secs(1);
/// How long a trial may take.
const WITHIN: Duration = Duration::from_secs(2);

/// What a store knows about its own writes.
#[derive(Debug, Default)]
pub struct Writable {
    suspected: AtomicBool,
    /// When the last trial failed.
    failed: Mutex<Option<Instant>>,
}

impl Writable {
    /// A write failed, and not because of its values.
    pub fn suspect(&self) {
        self.suspected.store(true, Ordering::Release);
    }

    pub fn is_suspected(&self) -> bool {
        self.suspected.load(Ordering::Acquire)
    }

    /// Whether writes succeed. For a suspect store, `trial` finds out.
    pub async fn check(&self, trial: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
        if !self.is_suspected() {
            return Ok(());
        }
        let mut failed = self.failed.lock().await;
        if failed.is_some_and(|at| at.elapsed() < EVERY) {
            return Err(Error::Unavailable(anyhow!("the last trial write failed")));
        }
        let tried = timeout(WITHIN, trial).await;
        let outcome = tried.unwrap_or_else(|_| Err(Error::Unavailable(anyhow!("a trial write takes too long"))));
        match &outcome {
            Ok(()) => {
                self.suspected.store(false, Ordering::Release);
                *failed = None;
                tracing::info!("the store can be written to again");
            }
            Err(_) => {
                // A trial that fails makes the store suspect again.
                self.suspect();
                *failed = Some(Instant::now());
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn full() -> Result<(), Error> {
        Err(Error::Unavailable(anyhow!("the disk is full")))
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_tried_only_when_suspected_once_a_second_and_until_it_succeeds() {
        let writable = Writable::default();
        assert!(writable.check(full()).await.is_ok(), "nothing is tried");
        writable.suspect();
        assert!(writable.check(full()).await.is_err());
        assert!(writable.check(async { Ok(()) }).await.is_err(), "it was tried a moment ago");
        tokio::time::advance(EVERY).await;
        assert!(writable.check(std::future::pending()).await.is_err(), "it takes too long");
        tokio::time::advance(EVERY).await;
        assert!(writable.check(async { Ok(()) }).await.is_ok());
        assert!(writable.check(full()).await.is_ok(), "nothing is suspected any more");
    }
}

//! Whether anything can be written now, as far as is known.
//!
//! A store suspects itself when a write fails for a reason that is not the values: a full disk, a file system that became
//! read-only, a right that was taken away. Until a trial write succeeds, it counts as not ready. Nothing is tried while
//! nothing is suspected.
//!
//! Limits: one trial a second, however many ask; a trial that takes longer than [`WITHIN`] has failed.

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

/// What one store knows of its own writes.
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

    /// Whether writes succeed. Where that is in doubt, `trial` finds out.
    pub async fn check(&self, trial: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
        if !self.is_suspected() {
            return Ok(());
        }
        let mut failed = self.failed.lock().await;
        if failed.is_some_and(|at| at.elapsed() < EVERY) {
            return Err(Error::Unavailable(anyhow!("nothing could be written a moment ago")));
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
                // A trial that fails on its way suspects the store once more.
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

//! The time that a shutdown has. Its phases share it, so that a process ends within one grace whatever hangs.

use std::time::Duration;

use tokio::time::Instant;

/// The phases of a shutdown, in their order. Each has to end early enough to leave something to those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Other nodes take over the room types.
    HandOver = 4,
    /// Requests in flight are answered.
    Requests = 6,
    /// Background tasks finish their turn.
    Tasks = 7,
    /// The engine drains and the store closes.
    Store = 8,
}

/// The grace of one shutdown, from its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace {
    began: Instant,
    whole: Duration,
}

impl Grace {
    pub fn begin(whole: Duration) -> Self {
        Self { began: Instant::now(), whole }
    }

    /// When a phase has to be over. What an earlier one leaves is its own.
    pub fn end(self, phase: Phase) -> Instant {
        self.began + self.whole * phase as u32 / Phase::Store as u32
    }

    pub fn left(self, phase: Phase) -> Duration {
        self.end(phase).saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn phases_that_all_hang_take_one_grace_together() {
        let (whole, began) = (Duration::from_secs(30), Instant::now());
        let grace = Grace::begin(whole);
        for phase in [Phase::HandOver, Phase::Requests, Phase::Tasks, Phase::Store] {
            assert!(grace.left(phase) >= whole / 8, "{phase:?}");
            let hangs = tokio::time::timeout_at(grace.end(phase), std::future::pending::<()>());
            hangs.await.unwrap_err();
        }
        assert_eq!(began.elapsed(), whole);
    }
}

//! The pace: the due time of every request.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(100);

/// The pace of a storm, shared by all guests.
pub struct Pace {
    started: Instant,
    ends: Instant,
    /// Requests per second of an open loop. A closed loop has none.
    rate: Option<NonZeroU32>,
    /// The number of requests that were due so far.
    due: AtomicU64,
    stopped: CancellationToken,
}

impl Pace {
    /// Begins now.
    pub fn new(rate: Option<NonZeroU32>, lasts: Duration) -> Self {
        let started = Instant::now();
        Self { started, ends: started + lasts, rate, due: AtomicU64::new(0), stopped: CancellationToken::new() }
    }

    /// Waits until a request is due, and gives its due time. `None` when the storm is over. In an open loop the due time
    /// may lie in the past, because no guest was free; the latency begins at the due time. Every due request is sent, so a
    /// slow server makes the storm longer.
    pub async fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = match self.rate {
            None => now,
            Some(rate) => {
                let number = self.due.fetch_add(1, Ordering::Relaxed);
                self.started + Duration::from_secs_f64(number as f64 / f64::from(rate.get()))
            }
        };
        if due >= self.ends {
            return None;
        }
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => None,
            () = sleep_until(due), if due > now => Some(due),
            () = std::future::ready(()), if due <= now => Some(due),
        }
    }

    /// Pauses after a failure in a closed loop, so that a guest does not repeat requests without a pause. In an open loop
    /// the rate is the pause.
    pub async fn pause_after_failure(&self) {
        if self.rate.is_none() {
            let _ = timeout(PAUSE, self.stopped.cancelled()).await;
        }
    }

    /// Ends the storm early.
    pub fn stop(&self) {
        self.stopped.cancel();
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_rate_requests_are_due_at_equal_intervals_until_the_end() {
        let pace = Pace::new(NonZeroU32::new(4), seconds(1));
        let mut due = Vec::new();
        while let Some(at) = pace.next().await {
            assert_eq!(Instant::now(), at);
            due.push(at - pace.started);
        }
        assert_eq!(due, [0, 250, 500, 750].map(Duration::from_millis));
    }

    #[tokio::test(start_paused = true)]
    async fn the_latency_of_a_request_begins_at_its_due_time() {
        let pace = Pace::new(NonZeroU32::new(1), seconds(10));
        pace.next().await;
        tokio::time::advance(seconds(3)).await;
        let due = pace.next().await.unwrap();
        assert_eq!(due.elapsed(), seconds(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_due_request_is_sent_even_late() {
        let pace = Pace::new(NonZeroU32::new(2), seconds(1));
        tokio::time::advance(seconds(5)).await;
        let first = pace.started;
        assert_eq!(pace.next().await, Some(first));
        assert_eq!(pace.next().await, Some(first + Duration::from_millis(500)));
        assert_eq!(pace.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_every_request_is_due_at_once_until_the_end() {
        let pace = Pace::new(None, seconds(1));
        assert_eq!(pace.next().await, Some(Instant::now()));
        tokio::time::advance(seconds(1)).await;
        assert_eq!(pace.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guest_pauses_after_a_failure_except_at_a_rate_or_after_the_end() {
        for (rate, stopped, pause) in
            [(None, false, PAUSE), (NonZeroU32::new(1), false, seconds(0)), (None, true, seconds(0))]
        {
            let pace = Pace::new(rate, seconds(100));
            if stopped {
                pace.stop();
            }
            pace.pause_after_failure().await;
            assert_eq!(pace.elapsed(), pause);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_storm_ends_for_waiting_guests_too() {
        let pace = Pace::new(NonZeroU32::new(1), seconds(100));
        pace.next().await;
        let (next, ()) = tokio::join!(pace.next(), async { pace.stop() });
        assert_eq!((next, pace.elapsed()), (None, Duration::ZERO));
    }
}

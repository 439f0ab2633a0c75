//! Deadlines: until when a request may be decided, and whether its client still waits.
//!
//! A request waits in many places: for its idempotency key to be looked up, for a lease, for a load, in a mailbox. Its
//! client may give up meanwhile, try another node, and act on that answer. So the engine drops a request before the
//! decision when it is older than the answer limit or its client is gone. Nothing was done for it, and nothing will be.
//!
//! Age is measured by two clocks. Monotonic time continues while the process is stopped (SIGSTOP). Wall-clock time also
//! shows that the machine was suspended. A request that arrived while the process stood still is older than it looks
//! ([`crate::pulse`]).
//!
//! A decided request is always finished. Only [`crate::writer`] withdraws facts that it could not send to the store in
//! time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::lease::Asked;
use crate::pulse::Pulse;

/// The origin of the requests of an engine handle, and how old they may be.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub asked: Asked,
    /// When the node that forwarded the request stops waiting for the answer.
    pub answer_by: Option<Instant>,
    pub pulse: Pulse,
}

impl Origin {
    /// The part of the answer limit that is left for a request that arrives now.
    pub(super) fn time_left(&self, limit: Duration) -> Duration {
        let left = limit.saturating_sub(self.pulse.stood_still());
        self.answer_by.map_or(left, |by| left.min(by.saturating_duration_since(Instant::now())))
    }
}

/// Held by the caller while it waits for an answer. Dropping it ends the request's deadline.
pub(super) struct WaitingClient(Arc<()>);

/// Travels with a request to the place of its decision.
#[derive(Debug, Clone)]
pub(super) struct Deadline {
    /// By monotonic time.
    pub until: Instant,
    until_by_wall_clock: Timestamp,
    client: Weak<()>,
}

impl Deadline {
    /// The deadline of a client that begins to wait now.
    pub fn after(left: Duration, clock: &dyn Clock) -> (Self, WaitingClient) {
        let client = WaitingClient(Arc::new(()));
        let wait = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
        let deadline = Self {
            until: Instant::now() + left,
            until_by_wall_clock: clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX),
            client: Arc::downgrade(&client.0),
        };
        (deadline, client)
    }

    /// Whether the request must be dropped: it is too old, or its client is gone.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.client.strong_count() == 0 || self.until <= Instant::now() || self.until_by_wall_clock <= now
    }
}

/// Counts a request that was dropped before its decision, and the place where it was.
pub(super) fn count_expired(place: &'static str) {
    metrics::counter!("innkeeper_requests_expired_total", "place" => place).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn clock() -> ManualClock {
        ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ends_by_either_clock_or_with_its_client() {
        let clock = clock();
        let (deadline, client) = Deadline::after(Duration::from_secs(10), &clock);
        assert!(!deadline.is_over(clock.now()));
        clock.advance(SignedDuration::from_secs(10));
        assert!(deadline.is_over(clock.now()), "the machine was suspended");
        clock.advance(SignedDuration::from_secs(-10));
        assert!(!deadline.is_over(clock.now()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(deadline.is_over(clock.now()), "the process was stopped");
        let (deadline, another) = Deadline::after(Duration::from_secs(10), &clock);
        drop((client, another));
        assert!(deadline.is_over(clock.now()), "the client is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_forwarded_request_has_the_time_that_its_node_leaves_it() {
        let (limit, now) = (Duration::from_secs(10), Instant::now());
        let left = |answer_by| Origin { answer_by, ..Origin::default() }.time_left(limit);
        assert_eq!(left(None), limit);
        assert_eq!(left(Some(now + Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(left(Some(now + Duration::from_secs(30))), limit);
        assert_eq!(left(Some(now)), Duration::ZERO);
    }
}

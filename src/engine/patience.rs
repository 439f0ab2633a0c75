//! Patience: how long a request may still be decided, and whether its client still waits.
//!
//! A request waits in many places: for its idempotency key to be looked up, for a lease, a load, a mailbox. Its client may
//! give up meanwhile, ask again elsewhere, and act on that answer. So a request that is older than the answer limit, or
//! whose client is gone, is dropped before it is decided: nothing was done, and nothing will be.
//!
//! Age is measured by monotonic time, which goes on while the process is stopped (SIGSTOP), and by wall-clock time, which
//! also shows that the machine was suspended. What arrived while the process stood still is older than it looks
//! ([`crate::pulse`]). Once decided, a request is finished; only [`crate::writer`] still withdraws what it has not sent to
//! the store in time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::lease::Asked;
use crate::pulse::Pulse;

/// Where the requests come from that an engine handle is used for, and how old they may be.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub asked: Asked,
    /// When the node that has forwarded the request stops waiting for it.
    pub by: Option<Instant>,
    pub pulse: Pulse,
}

impl Origin {
    /// How much is left of the answer limit.
    pub(super) fn left_of(&self, limit: Duration) -> Duration {
        let left = limit.saturating_sub(self.pulse.stood_still());
        self.by.map_or(left, |by| left.min(by.saturating_duration_since(Instant::now())))
    }
}

/// Kept by whoever waits for an answer.
pub(super) struct Client(Arc<()>);

/// Goes with a request to where it is decided.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    /// Monotonic.
    pub until: Instant,
    until_on_the_wall: Timestamp,
    client: Weak<()>,
}

impl Patience {
    /// Of a client that begins to wait now.
    pub fn of(left: Duration, clock: &dyn Clock) -> (Self, Client) {
        let client = Client(Arc::new(()));
        let wait = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
        let patience = Self {
            until: Instant::now() + left,
            until_on_the_wall: clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX),
            client: Arc::downgrade(&client.0),
        };
        (patience, client)
    }

    /// Whether the request is to be dropped: too old, or nobody waits for its answer.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.client.strong_count() == 0 || self.until <= Instant::now() || self.until_on_the_wall <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn clock() -> ManualClock {
        ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_the_limit_by_either_clock_or_with_its_client() {
        let clock = clock();
        let (patience, client) = Patience::of(Duration::from_secs(10), &clock);
        assert!(!patience.has_ended(clock.now()));
        clock.advance(SignedDuration::from_secs(10));
        assert!(patience.has_ended(clock.now()), "the machine was suspended");
        clock.advance(SignedDuration::from_secs(-10));
        assert!(!patience.has_ended(clock.now()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(patience.has_ended(clock.now()), "the process was stopped");
        let (patience, another) = Patience::of(Duration::from_secs(10), &clock);
        drop((client, another));
        assert!(patience.has_ended(clock.now()), "nobody waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_forwarded_request_has_what_its_node_leaves_it() {
        let (limit, now) = (Duration::from_secs(10), Instant::now());
        let left = |by| Origin { by, ..Origin::default() }.left_of(limit);
        assert_eq!(left(None), limit);
        assert_eq!(left(Some(now + Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(left(Some(now + Duration::from_secs(30))), limit);
        assert_eq!(left(Some(now)), Duration::ZERO);
    }
}

//! The circuit breaker: whether PostgreSQL accepts new connections.
//!
//! When the server has refused every connection for [`KNOWN_AFTER`], the circuit opens. While it is open, a caller that
//! needs a new connection gets an error at once. Open connections are still used. A background task tries to connect,
//! and the first success closes the circuit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::session::{Home, Session, within};

/// How long a server may refuse connections before the circuit opens.
const KNOWN_AFTER: Duration = Duration::from_secs(1);
/// Time limit of one connection attempt.
pub(super) const ATTEMPT_WITHIN: Duration = Duration::from_secs(4);
/// A failed attempt that begins this long after the last failure does not continue its outage.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);
/// Pause between two attempts of the background task.
const TRY_AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    /// Every attempt since `since` failed, the last one at `last`.
    Failing {
        since: Instant,
        last: Instant,
    },
    Open,
}

/// The breaker of all connections to one server.
#[derive(Debug)]
pub(super) struct Circuit(Mutex<State>);

impl Circuit {
    pub fn closed() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Closed)))
    }

    pub fn is_open(&self) -> bool {
        *self.state() == State::Open
    }

    /// A connection was opened.
    pub fn succeeded(&self) {
        let mut state = self.state();
        if *state == State::Open {
            tracing::info!("PostgreSQL accepts connections again");
        }
        *state = State::Closed;
    }

    /// An attempt that began at `began` failed. `true`: this opens the circuit, and the caller starts the background
    /// task.
    pub fn failed(&self, began: Instant) -> bool {
        let mut state = self.state();
        let since = match *state {
            State::Failing { since, last } if began.saturating_duration_since(last) < FORGOTTEN_AFTER => since,
            State::Closed | State::Failing { .. } => began,
            State::Open => return false,
        };
        let is_known = since.elapsed() >= KNOWN_AFTER;
        *state = if is_known { State::Open } else { State::Failing { since, last: Instant::now() } };
        if is_known {
            tracing::warn!("PostgreSQL accepts no connection: requests that need a new one fail at once until it does");
        }
        is_known
    }

    /// Tries to connect until it succeeds, or until the circuit is no longer used.
    pub fn try_again(self: &Arc<Self>, session: Session, home: &Home) {
        let circuit = Arc::downgrade(self);
        home.spawn(async move {
            while circuit.strong_count() > 0 {
                sleep(TRY_AGAIN).await;
                if within(ATTEMPT_WITHIN, session.connect()).await.is_ok() {
                    break;
                }
            }
            if let Some(circuit) = circuit.upgrade() {
                circuit.succeeded();
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_a_second_of_failures_and_closes_at_the_first_success() {
        let circuit = Circuit::closed();
        let began = Instant::now();
        assert!(!circuit.failed(began) && !circuit.is_open(), "it may just be starting");
        sleep(KNOWN_AFTER).await;
        assert!(circuit.failed(Instant::now()) && circuit.is_open());
        assert!(!circuit.failed(began), "one background task is enough");
        circuit.succeeded();
        assert!(!circuit.is_open());
        assert!(!circuit.failed(Instant::now()) && !circuit.is_open(), "earlier failures do not count");
    }

    #[tokio::test(start_paused = true)]
    async fn two_failures_with_hours_between_them_are_no_outage() {
        let circuit = Circuit::closed();
        for _ in 0..3 {
            assert!(!circuit.failed(Instant::now()) && !circuit.is_open());
            sleep(Duration::from_secs(3600)).await;
        }
        assert!(!circuit.failed(Instant::now()));
        sleep(FORGOTTEN_AFTER - Duration::from_millis(1)).await;
        assert!(circuit.failed(Instant::now()), "these two are one");
    }
}

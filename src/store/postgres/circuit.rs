//! The circuit: whether the server lets anybody in.
//!
//! A server that is starting is waited for, but not by everybody, and not for long: when it has let nobody in for
//! [`KNOWN_AFTER`], the circuit opens, and whoever needs a new connection is told at once. Connections that are still good
//! are used all the same. Meanwhile somebody tries in the background; the first success closes the circuit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::session::{Home, Session, within};

/// How long a server may let nobody in before that is known.
const KNOWN_AFTER: Duration = Duration::from_secs(1);
/// How long one attempt to come in may take.
pub(super) const ATTEMPT_WITHIN: Duration = Duration::from_secs(4);
/// The pause between two attempts in the background.
const TRY_AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    /// Nobody was let in since an attempt that began then.
    Failing(Instant),
    Open,
}

/// One for all connections to a server.
#[derive(Debug)]
pub(super) struct Circuit(Mutex<State>);

impl Circuit {
    pub fn closed() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Closed)))
    }

    pub fn is_open(&self) -> bool {
        *self.state() == State::Open
    }

    /// Somebody was let in.
    pub fn succeeded(&self) {
        let mut state = self.state();
        if *state == State::Open {
            tracing::info!("PostgreSQL lets this node in again");
        }
        *state = State::Closed;
    }

    /// An attempt failed that began then. Says whether this opens the circuit: then somebody has to try again.
    pub fn failed(&self, began: Instant) -> bool {
        let mut state = self.state();
        let since = match *state {
            State::Closed => began,
            State::Failing(since) => since,
            State::Open => return false,
        };
        let is_known = since.elapsed() >= KNOWN_AFTER;
        *state = if is_known { State::Open } else { State::Failing(since) };
        if is_known {
            tracing::warn!("PostgreSQL lets nobody in: who needs it is told at once, until it does");
        }
        is_known
    }

    /// Tries to come in until that succeeds, or nobody uses the circuit any more.
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
    async fn it_opens_when_nobody_was_let_in_for_a_second_and_closes_at_the_first_success() {
        let circuit = Circuit::closed();
        let began = Instant::now();
        assert!(!circuit.failed(began) && !circuit.is_open(), "it may just be starting");
        sleep(KNOWN_AFTER).await;
        assert!(circuit.failed(Instant::now()) && circuit.is_open());
        assert!(!circuit.failed(began), "one tries again");
        circuit.succeeded();
        assert!(!circuit.is_open());
        assert!(!circuit.failed(Instant::now()) && !circuit.is_open(), "what was before is over");
    }
}

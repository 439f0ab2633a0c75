//! The start of a shutdown: the signals of the operating system, and the state that other modules observe.
//!
//! `app::Running::shutdown` has the order of a shutdown.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::lease::Membership;

/// Signals within this time after the first count as one. `timeout` signals its child and then the whole group, and a
/// terminal and a supervisor may both signal.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// When the last request to stop began.
    requested: Option<Instant>,
}

impl Signals {
    /// From now on these signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, requested: None })
    }

    /// Waits for the next request to stop. Returns the name of its signal.
    pub async fn next(&mut self) -> &'static str {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            };
            if self.requested.is_none_or(|began| began.elapsed() >= SAME_REQUEST) {
                self.requested = Some(Instant::now());
                return name;
            }
        }
    }
}

/// Hands over every room type to other nodes. Requests are still answered, by this node or the new owner.
pub async fn drain(draining: &Draining, membership: &dyn Membership, engine: &Engine) {
    draining.begin();
    membership.drain().await;
    engine.hand_over().await;
}

/// Whether a shutdown has begun. After that `/readyz` answers 503, every answer closes its connection, and dashboards are
/// disconnected. A clone shares the state.
#[derive(Debug, Clone, Default)]
pub struct Draining(CancellationToken);

impl Draining {
    pub fn begin(&self) {
        self.0.cancel();
    }

    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the shutdown has begun.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}

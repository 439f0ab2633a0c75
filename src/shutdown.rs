//! When to stop: the signals of the operating system, and how the others learn of it.
//!
//! The order of a shutdown is `app::Running::shutdown`. Here is only what starts it.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::lease::Membership;

/// Signals within this time after the first are the same wish: `timeout` signals its child and then the whole group, and
/// a terminal and a supervisor may both signal.
const SAME_WISH: Duration = Duration::from_secs(1);

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// When the last wish began.
    wished: Option<Instant>,
}

impl Signals {
    /// From now on these signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, wished: None })
    }

    /// Waits for the next wish to stop; the name of its signal.
    pub async fn next(&mut self) -> &'static str {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            };
            if self.wished.is_none_or(|began| began.elapsed() >= SAME_WISH) {
                self.wished = Some(Instant::now());
                return name;
            }
        }
    }
}

/// Lets the other nodes have everything that this one owns. Requests are still answered, here or there.
pub async fn drain(draining: &Draining, membership: &dyn Membership, engine: &Engine) {
    draining.begin();
    membership.drain().await;
    engine.hand_over().await;
}

/// Whether a shutdown has begun: from then on `/readyz` sends load balancers elsewhere, every answer is the last one on
/// its connection, and dashboards are let go. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Draining(CancellationToken);

impl Draining {
    pub fn begin(&self) {
        self.0.cancel();
    }

    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it has.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}

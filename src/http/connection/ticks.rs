//! A cheap and coarse clock for connections. The supervisor's ticks set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The clock of all connections: the time of the supervisor's last tick, in milliseconds.
#[derive(Debug, Default, Clone)]
pub struct Ticks(Arc<AtomicU64>);

impl Ticks {
    pub fn set(&self, millis: u64) {
        self.0.store(millis, Relaxed);
    }

    /// The current time. It is never 0, because 0 means never.
    pub fn now(&self) -> u64 {
        self.0.load(Relaxed).max(1)
    }
}

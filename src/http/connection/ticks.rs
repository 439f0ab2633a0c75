//! The time as connections read it: cheap, and as coarse as the supervisor's ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The clock of all connections: milliseconds, as of the supervisor's last tick.
#[derive(Debug, Default, Clone)]
pub struct Ticks(Arc<AtomicU64>);

impl Ticks {
    pub fn set(&self, millis: u64) {
        self.0.store(millis, Relaxed);
    }

    /// Never 0, which means never.
    pub fn now(&self) -> u64 {
        self.0.load(Relaxed).max(1)
    }
}

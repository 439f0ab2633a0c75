//! Sources of time and ids. Other modules receive them, so tests can replace them.
//!
//! Only this module reads the wall clock or makes an id. `clippy.toml` bans both everywhere else.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// A source of ids: UUIDv7, which sort by creation.
pub trait IdSource: Send + Sync + 'static {
    fn next(&self) -> Uuid;
}

/// The clock and the random numbers of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "other modules use this clock")]
    fn now(&self) -> Timestamp {
        // The store keeps microseconds. An answer must show the same instant before and after a restart.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

impl IdSource for System {
    #[expect(clippy::disallowed_methods, reason = "other modules use this id source")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// A clock that only moves when it is set, for replays and tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }

    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now().saturating_add(by).unwrap_or(Timestamp::MAX));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

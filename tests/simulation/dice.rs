//! Randomness, time and ids of a simulation. All of them follow from the seed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use innkeeper::clock::{Clock, IdSource};
use innkeeper::domain::Timestamp;
use innkeeper::domain::testing::{id, noon};
use jiff::SignedDuration;
use tokio::time::Instant;
use uuid::Uuid;

/// The only source of randomness. Faults can be switched off; everything else continues.
pub struct Dice {
    rng: Mutex<fastrand::Rng>,
    faulty: AtomicBool,
    seen: Mutex<BTreeSet<String>>,
    /// The probability of a fault in this simulation, in percent.
    wear: u32,
    /// Actors passivate as soon as they are idle. They check every few milliseconds, so no pause is long.
    restless: bool,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let wear = *rng.choice(&[0, 2, 5, 10, 20]).unwrap_or(&5);
        let restless = rng.u32(..100) < 20;
        Self { rng: Mutex::new(rng), faulty: AtomicBool::new(true), seen: Mutex::default(), wear, restless }
    }

    fn rng<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From 0 to `end`, without `end`.
    pub fn below(&self, end: usize) -> usize {
        self.rng(|rng| rng.usize(..end.max(1)))
    }

    pub fn between(&self, first: i64, last: i64) -> i64 {
        self.rng(|rng| rng.i64(first..=last))
    }

    pub fn chance(&self, percent: u32) -> bool {
        self.rng(|rng| rng.u32(..100)) < percent
    }

    pub fn is_restless(&self) -> bool {
        self.restless
    }

    /// Whether a fault happens now, `weight` times as often as the probability of this simulation.
    pub fn fault(&self, weight: u32) -> bool {
        self.faulty.load(Ordering::Relaxed) && self.chance(self.wear * weight)
    }

    /// Records an event of this simulation.
    pub fn saw(&self, what: impl Into<String>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(what.into());
    }

    /// All events of this simulation.
    pub fn seen(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn end_faults(&self) {
        self.faulty.store(false, Ordering::Relaxed);
    }

    /// Lets other tasks run first, for up to `millis` of simulated time.
    pub async fn nap(&self, millis: i64) {
        match self.chance(30) {
            true => tokio::task::yield_now().await,
            false => tokio::time::sleep(Duration::from_millis(self.between(0, millis).unsigned_abs())).await,
        }
    }
}

/// The wall clock. It runs with the simulated time of the timers, and can be moved forward.
pub struct SimulatedClock {
    start: Instant,
    forward: Mutex<SignedDuration>,
}

impl SimulatedClock {
    /// Needs a runtime.
    pub fn new() -> Self {
        Self { start: Instant::now(), forward: Mutex::default() }
    }

    pub fn put_forward(&self, by: SignedDuration) {
        *self.forward.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let forward = *self.forward.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = SignedDuration::from_micros(i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX));
        noon(0) + forward + elapsed
    }
}

/// Ids in order of creation.
pub struct CountedIds(AtomicU64);

impl CountedIds {
    /// Nodes never draw the same id.
    pub fn of_node(number: u64) -> Self {
        Self(AtomicU64::new((number + 1) << 40))
    }
}

impl IdSource for CountedIds {
    fn next(&self) -> Uuid {
        id(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

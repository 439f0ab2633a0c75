//! The pulse of this process: it notices that the process, or its machine, stood still.
//!
//! Requests that arrive meanwhile wait in buffers of the kernel, which does not say for how long. So a request that is
//! read just after a standstill may be as old as the standstill was long. Called by `http/` and `engine/`, which drop a
//! request that may be older than the answer limit.
//!
//! Two clocks are compared, because each misses a case. Monotonic time goes on while the process is stopped (SIGSTOP, a
//! debugger, a starved container), but stands still while the machine is suspended; then wall-clock time has jumped. A
//! wall clock that is set forward looks the same: then a few requests are refused, and nothing is done for them.
//!
//! Limit: a machine whose clocks both stood still, as in a virtual machine that was paused and whose wall clock was not
//! corrected since, cannot notice it. There, the end of a client's connection still tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, System};
use crate::tasks::{Policy, Tasks};

/// How often it beats.
const BEAT: Duration = Duration::from_millis(100);
/// A pause between two beats is a standstill from this length on: shorter ones are a busy machine.
const STANDSTILL: Duration = Duration::from_millis(300);
/// One that is worth a line in the log.
const WORTH_A_LINE: Duration = Duration::from_secs(2);
/// How long after a standstill requests may still be read that arrived during it.
const BACKLOG: Duration = Duration::from_secs(2);

/// A cheap handle. The default never beats, and so never notices anything.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Option<Arc<Beats>>);

/// Milliseconds: monotonic ones since `base`, wall-clock ones since 1970.
#[derive(Debug)]
struct Beats {
    base: Instant,
    last: AtomicI64,
    last_on_the_wall: AtomicI64,
    /// The last standstill: how long it was, and when it ended.
    length: AtomicI64,
    ended: AtomicI64,
}

impl Pulse {
    /// Begins to beat; [`Pulse::keep`] goes on.
    pub fn start() -> Self {
        let now = Reading { monotonic: 0, wall: wall() };
        Self(Some(Arc::new(Beats::begin(Instant::now(), now))))
    }

    /// Starts the task that beats.
    pub fn keep(&self, tasks: &Tasks) {
        let Some(beats) = self.0.clone() else { return };
        tasks.spawn("pulse", Policy::Restart, move |stop| beat(beats.clone(), stop));
    }

    /// How old a request may be that was read just now; zero when the process runs as usual.
    pub fn stood_still(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |beats| beats.stood_still(beats.read()))
    }
}

async fn beat(beats: Arc<Beats>, stop: CancellationToken) {
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(length) = beats.beat(beats.read()).filter(|length| *length >= WORTH_A_LINE) {
            tracing::warn!(?length, "the process stood still: requests that came meanwhile may be refused");
        }
    }
}

/// Both clocks.
#[derive(Debug, Clone, Copy)]
struct Reading {
    monotonic: i64,
    wall: i64,
}

impl Beats {
    fn begin(base: Instant, now: Reading) -> Self {
        let at = AtomicI64::new;
        Self { base, last: at(now.monotonic), last_on_the_wall: at(now.wall), length: at(0), ended: at(now.monotonic) }
    }

    fn read(&self) -> Reading {
        Reading { monotonic: millis(self.base.elapsed()), wall: wall() }
    }

    /// The time since the last beat, by the clock that shows more of it.
    fn pause(&self, now: Reading) -> i64 {
        let monotonic = now.monotonic - self.last.load(Ordering::Relaxed);
        monotonic.max(now.wall - self.last_on_the_wall.load(Ordering::Relaxed))
    }

    /// Beats, and gives the length of the standstill that has just ended, if there was one.
    fn beat(&self, now: Reading) -> Option<Duration> {
        let pause = self.pause(now);
        let stood_still = pause >= millis(STANDSTILL);
        if stood_still {
            self.length.store(pause, Ordering::Relaxed);
            self.ended.store(now.monotonic, Ordering::Relaxed);
        }
        self.last_on_the_wall.store(now.wall, Ordering::Relaxed);
        self.last.store(now.monotonic, Ordering::Relaxed);
        stood_still.then(|| duration(pause))
    }

    fn stood_still(&self, now: Reading) -> Duration {
        let pause = self.pause(now);
        if pause >= millis(STANDSTILL) {
            return duration(pause);
        }
        let (length, since) = (self.length.load(Ordering::Relaxed), now.monotonic - self.ended.load(Ordering::Relaxed));
        if length > 0 && since < millis(BACKLOG) { duration(length + since) } else { Duration::ZERO }
    }
}

fn wall() -> i64 {
    System.now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic: i64, wall: i64) -> Reading {
        Reading { monotonic, wall }
    }

    fn beats() -> Beats {
        Beats::begin(Instant::now(), at(0, 5_000))
    }

    #[test]
    fn a_process_that_beats_does_not_stand_still() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 5_100)), None);
        assert_eq!(beats.stood_still(at(399, 5_399)), Duration::ZERO, "a busy machine");
    }

    #[test]
    fn a_process_that_was_stopped_knows_it_before_its_next_beat_and_for_a_while_after() {
        let beats = beats();
        assert_eq!(beats.stood_still(at(70_000, 75_000)), Duration::from_secs(70), "whoever looks first");
        assert_eq!(beats.beat(at(70_000, 75_000)), Some(Duration::from_secs(70)));
        assert_eq!(beats.beat(at(70_100, 75_100)), None);
        assert_eq!(beats.stood_still(at(70_200, 75_200)), Duration::from_millis(70_200), "what came at its beginning");
        assert!((702..=720).all(|beat| beats.beat(at(beat * 100, beat * 100 + 5_000)).is_none()));
        assert_eq!(beats.stood_still(at(72_050, 77_050)), Duration::ZERO, "what comes now came after it");
    }

    #[test]
    fn a_machine_that_was_suspended_is_known_by_its_wall_clock() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 65_000)), Some(Duration::from_secs(60)));
        assert_eq!(beats.stood_still(at(200, 65_100)), Duration::from_millis(60_100));
    }

    #[test]
    fn a_wall_clock_that_goes_back_is_no_standstill() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 0)), None);
        assert_eq!(beats.stood_still(at(200, 100)), Duration::ZERO);
    }

    #[test]
    fn a_pulse_that_never_beats_notices_nothing() {
        assert_eq!(Pulse::default().stood_still(), Duration::ZERO);
    }
}

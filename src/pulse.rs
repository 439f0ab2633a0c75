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
//! A thread of its own beats, so that a runtime that is merely busy does not look like a process that stood still. The
//! thread ends with the last handle.
//!
//! Limit: a machine whose clocks both stood still, as in a virtual machine that was paused and whose wall clock was not
//! corrected since, cannot notice it. There, the end of a client's connection still tells.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{Clock, System};

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
    /// Starts the thread that beats.
    pub fn start() -> io::Result<Self> {
        let now = Reading { monotonic: 0, wall: wall() };
        let beats = Arc::new(Beats::begin(Instant::now(), now));
        let beating = Arc::downgrade(&beats);
        thread::Builder::new().name("pulse".into()).spawn(move || beat(&beating))?;
        Ok(Self(Some(beats)))
    }

    /// How old a request may be that was read just now; zero when the process runs as usual.
    pub fn stood_still(&self) -> Duration {
        let (length, since) = self.standstill();
        length + since
    }

    /// The length of a standstill during which a request that was read just now may have come, and the time since its end.
    pub fn standstill(&self) -> (Duration, Duration) {
        self.0.as_ref().map_or((Duration::ZERO, Duration::ZERO), |beats| beats.standstill(beats.read()))
    }
}

fn beat(beats: &Weak<Beats>) {
    while let Some(beats) = beats.upgrade() {
        if let Some(length) = beats.beat(beats.read()).filter(|length| *length >= WORTH_A_LINE) {
            tracing::warn!(?length, "the process stood still: requests that came meanwhile may be refused");
        }
        drop(beats);
        thread::sleep(BEAT);
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

    fn standstill(&self, now: Reading) -> (Duration, Duration) {
        let pause = self.pause(now);
        if pause >= millis(STANDSTILL) {
            return (duration(pause), Duration::ZERO);
        }
        let (length, since) = (self.length.load(Ordering::Relaxed), now.monotonic - self.ended.load(Ordering::Relaxed));
        let is_recent = length > 0 && since < millis(BACKLOG);
        if is_recent { (duration(length), duration(since)) } else { (Duration::ZERO, Duration::ZERO) }
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

    fn stood_still(beats: &Beats, now: Reading) -> Duration {
        let (length, since) = beats.standstill(now);
        length + since
    }

    fn beats() -> Beats {
        Beats::begin(Instant::now(), at(0, 5_000))
    }

    #[test]
    fn a_process_that_beats_does_not_stand_still() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 5_100)), None);
        assert_eq!(stood_still(&beats, at(399, 5_399)), Duration::ZERO, "a busy machine");
    }

    #[test]
    fn a_process_that_was_stopped_knows_it_before_its_next_beat_and_for_a_while_after() {
        let beats = beats();
        assert_eq!(stood_still(&beats, at(70_000, 75_000)), Duration::from_secs(70), "whoever looks first");
        assert_eq!(beats.beat(at(70_000, 75_000)), Some(Duration::from_secs(70)));
        assert_eq!(beats.beat(at(70_100, 75_100)), None);
        assert_eq!(
            stood_still(&beats, at(70_200, 75_200)),
            Duration::from_millis(70_200),
            "what came at its beginning"
        );
        assert!((702..=720).all(|beat| beats.beat(at(beat * 100, beat * 100 + 5_000)).is_none()));
        assert_eq!(stood_still(&beats, at(72_050, 77_050)), Duration::ZERO, "what comes now came after it");
    }

    #[test]
    fn a_machine_that_was_suspended_is_known_by_its_wall_clock() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 65_000)), Some(Duration::from_secs(60)));
        assert_eq!(stood_still(&beats, at(200, 65_100)), Duration::from_millis(60_100));
    }

    #[test]
    fn a_wall_clock_that_goes_back_is_no_standstill() {
        let beats = beats();
        assert_eq!(beats.beat(at(100, 0)), None);
        assert_eq!(stood_still(&beats, at(200, 100)), Duration::ZERO);
    }

    #[test]
    fn the_thread_ends_with_the_last_handle() {
        let pulse = Pulse::start().unwrap();
        let beats = Arc::downgrade(pulse.0.as_ref().unwrap());
        drop(pulse);
        while beats.strong_count() > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_pulse_that_never_beats_notices_nothing() {
        assert_eq!(Pulse::default().stood_still(), Duration::ZERO);
    }
}

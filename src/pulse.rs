//! The pulse: detects that the process, or its machine, stood still.
//!
//! Requests that arrive during a standstill wait in buffers of the kernel, which does not report their age. A request that
//! is read just afterwards may be as old as the standstill. `http/` and `engine/` drop a request that may be older than
//! the answer limit.
//!
//! Two clocks are compared, because each misses a case. Monotonic time continues while the process is stopped (SIGSTOP, a
//! debugger, a starved container), but stops while the machine is suspended. Wall-clock time jumps after a suspension. A
//! wall clock that is set forward looks the same: a few requests are refused, without any effect.
//!
//! A separate thread beats, so that a busy runtime does not look like a standstill. The thread ends with the last handle.
//!
//! Limit: a standstill of both clocks is not detected, as in a paused virtual machine whose wall clock was not corrected.
//! The end of a client's connection is still detected there.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{Clock, System};

/// The time between two beats.
const BEAT: Duration = Duration::from_millis(100);
/// The shortest pause between two beats that counts as a standstill. A busy machine has shorter ones.
const STANDSTILL: Duration = Duration::from_millis(300);
/// The shortest standstill that is logged.
const WORTH_A_LINE: Duration = Duration::from_secs(2);
/// For this time after a standstill, a request that is read may have arrived during it.
const BACKLOG: Duration = Duration::from_secs(2);

/// A cheap handle. The default never beats, so it detects nothing.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Option<Arc<Beats>>);

/// Times in milliseconds: monotonic since `base`, wall-clock since 1970.
#[derive(Debug)]
struct Beats {
    base: Instant,
    last: AtomicI64,
    last_on_the_wall: AtomicI64,
    /// The last standstill: its length and its end.
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

    /// The highest possible age of a request that was read just now. Zero without a standstill.
    pub fn stood_still(&self) -> Duration {
        let (length, since) = self.standstill();
        length + since
    }

    /// The length of the standstill in which a request that was read just now may have arrived, and the time since its end.
    pub fn standstill(&self) -> (Duration, Duration) {
        self.0.as_ref().map_or((Duration::ZERO, Duration::ZERO), |beats| beats.standstill(beats.read()))
    }
}

fn beat(beats: &Weak<Beats>) {
    while let Some(beats) = beats.upgrade() {
        if let Some(length) = beats.beat(beats.read()).filter(|length| *length >= WORTH_A_LINE) {
            tracing::warn!(?length, "the process stood still; requests that arrived meanwhile may be refused");
        }
        drop(beats);
        thread::sleep(BEAT);
    }
}

/// A reading of both clocks.
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

    /// The time since the last beat, by the clock that shows more.
    fn pause(&self, now: Reading) -> i64 {
        let monotonic = now.monotonic - self.last.load(Ordering::Relaxed);
        monotonic.max(now.wall - self.last_on_the_wall.load(Ordering::Relaxed))
    }

    /// Records a beat. Returns the length of the standstill that has just ended, if there was one.
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

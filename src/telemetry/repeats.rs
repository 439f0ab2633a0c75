//! Warnings and errors that come over and over: a place in the code writes [`REPEATS`] of them a minute. The rest is counted
//! in `innkeeper_log_lines_suppressed_total`.
//!
//! All that a library logs through the `log` crate comes from one place per level, so such a line belongs to its target.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Lines that one place may write in [`MINUTE`].
const REPEATS: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// The most places with a count of their own. No program has so many. Lines of further places are left out.
const PLACES: usize = 10_000;
/// The target of all that comes through the `log` crate, and the field with the target that it had there.
const LOG: &str = "log";
const LOG_TARGET: &str = "log.target";

/// Lets the lines of a place through, up to the limit.
#[derive(Default)]
pub struct Repeats {
    places: Mutex<HashMap<Place, Minute>>,
    /// Makes numbers of targets.
    hasher: RandomState,
}

type Place = (Identifier, u64);

/// How many lines a place has written since a moment.
struct Minute {
    since: Instant,
    lines: u32,
}

impl Repeats {
    fn place(&self, event: &Event<'_>) -> Place {
        let mut target = Target::default();
        if event.metadata().target() == LOG {
            event.record(&mut target);
        }
        (event.metadata().callsite(), self.hasher.hash_one(target.0))
    }

    fn may_repeat(&self, place: Place, now: Instant) -> bool {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PLACES && !places.contains_key(&place) {
            return false;
        }
        let minute = places.entry(place).or_insert(Minute { since: now, lines: 0 });
        if now.duration_since(minute.since) >= MINUTE {
            *minute = Minute { since: now, lines: 0 };
        }
        minute.lines += 1;
        minute.lines <= REPEATS
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let is_limited = *event.metadata().level() <= Level::WARN;
        let is_written = !is_limited || self.may_repeat(self.place(event), Instant::now());
        if !is_written {
            metrics::counter!("innkeeper_log_lines_suppressed_total").increment(1);
        }
        is_written
    }
}

/// The target that a line had in the `log` crate.
#[derive(Default)]
struct Target(String);

impl Visit for Target {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == LOG_TARGET {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Counts what is written.
    struct Counter(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Counter {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn written(log: impl FnOnce()) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let layer = Counter(count.clone()).with_filter(Repeats::default());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        count.load(Ordering::Relaxed)
    }

    #[test]
    fn a_place_that_warns_over_and_over_is_heard_a_limited_number_of_times() {
        let warned = written(|| (0..1_000).for_each(|_| tracing::warn!("it is raining")));
        let told = written(|| (0..1_000).for_each(|_| tracing::info!("a day has gone by")));
        assert_eq!((warned, told), (REPEATS as usize, 1_000));
    }

    /// As the bridge from the `log` crate writes a line.
    fn through_log(target: &str) {
        tracing::event!(target: "log", Level::WARN, log.target = target, "it is raining");
    }

    #[test]
    fn a_library_that_logs_over_and_over_does_not_mute_another() {
        let warned = written(|| (0..1_000).for_each(|n| through_log(if n % 2 == 0 { "sqlx" } else { "redis" })));
        assert_eq!(warned, 2 * REPEATS as usize);
    }
}

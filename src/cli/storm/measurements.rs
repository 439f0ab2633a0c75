//! The measurements: numbers and latencies of answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::api::Answer;

/// The measurements of all guests.
pub struct Measurements(Mutex<Counts>);

/// The measurements so far.
#[derive(Clone)]
pub struct Counts {
    /// In microseconds.
    latencies: Histogram<u64>,
    pub accepted: u64,
    pub refused: u64,
    /// By status; `no answer` is one of the names.
    pub errors: BTreeMap<String, u64>,
}

/// The number of answers of each class at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    at: Instant,
    accepted: u64,
    refused: u64,
    errors: u64,
}

/// Significant digits of a latency.
const DIGITS: u8 = 3;
/// The largest latency that is recorded: ten minutes, in microseconds. Longer ones are recorded as this.
const LONGEST: u64 = 600_000_000;

impl Measurements {
    pub fn new() -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_max(LONGEST, DIGITS)?;
        Ok(Self(Mutex::new(Counts { latencies, accepted: 0, refused: 0, errors: BTreeMap::new() })))
    }

    pub fn add(&self, took: Duration, answer: &Answer) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST);
        counts.latencies.saturating_record(micros);
        match answer {
            Answer::Accepted(_) => counts.accepted += 1,
            Answer::Refused => counts.refused += 1,
            Answer::Failed(status) => *counts.errors.entry(status.as_str().to_owned()).or_default() += 1,
            Answer::Lost => *counts.errors.entry("no answer".to_owned()).or_default() += 1,
        }
    }

    pub fn progress(&self) -> Progress {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (accepted, refused) = (counts.accepted, counts.refused);
        Progress { at: Instant::now(), accepted, refused, errors: counts.errors() }
    }

    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress {
    /// Answers per second since an earlier moment.
    pub fn since(self, before: Self) -> String {
        let seconds = self.at.duration_since(before.at).as_secs_f64().max(f64::EPSILON);
        let rate = |now: u64, then: u64| (now.saturating_sub(then) as f64 / seconds).round();
        let accepted = rate(self.accepted, before.accepted);
        let (refused, errors) = (rate(self.refused, before.refused), rate(self.errors, before.errors));
        format!("{accepted} accepted/s, {refused} refused/s, {errors} errors/s")
    }
}

impl Counts {
    pub fn requests(&self) -> u64 {
        self.latencies.len()
    }

    /// Whether the server limited the storm as a public caller.
    pub fn was_limited(&self) -> bool {
        self.errors.contains_key("429")
    }

    pub fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    /// A percentile, in milliseconds.
    pub fn ms(&self, percentile: f64) -> f64 {
        self.latencies.value_at_percentile(percentile) as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use crate::client::StatusCode;

    use super::*;

    #[test]
    fn every_request_counts_once_and_in_one_class() {
        let measurements = Measurements::new().unwrap();
        let ms = Duration::from_millis;
        measurements.add(ms(1), &Answer::Accepted(None));
        measurements.add(ms(2), &Answer::Refused);
        measurements.add(ms(3), &Answer::Failed(StatusCode::SERVICE_UNAVAILABLE));
        measurements.add(ms(4_000_000), &Answer::Lost);
        let counts = measurements.counts();
        assert_eq!((counts.requests(), counts.accepted, counts.refused, counts.errors()), (4, 1, 1, 2));
        assert_eq!(counts.errors.keys().collect::<Vec<_>>(), ["503", "no answer"]);
        // Three digits: the upper end of the bucket.
        assert!((2.0..2.002).contains(&counts.ms(50.0)), "{}", counts.ms(50.0));
        assert!(counts.ms(100.0) >= 600_000.0);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_a_rate_per_second() {
        let measurements = Measurements::new().unwrap();
        measurements.add(Duration::ZERO, &Answer::Refused);
        let before = measurements.progress();
        for answer in [Answer::Accepted(None), Answer::Accepted(None), Answer::Lost] {
            measurements.add(Duration::ZERO, &answer);
        }
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(measurements.progress().since(before), "4 accepted/s, 0 refused/s, 2 errors/s");
    }
}

//! How many, and how long.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::api::Answer;

/// What has been measured so far.
pub struct Tally(Mutex<Counts>);

/// The figures of a tally.
#[derive(Clone)]
pub struct Counts {
    /// By microseconds.
    latencies: Histogram<u64>,
    pub accepted: u64,
    pub refused: u64,
    /// By status, or that there was no answer.
    pub errors: BTreeMap<String, u64>,
}

/// How many so far, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    at: Instant,
    accepted: u64,
    refused: u64,
    errors: u64,
}

/// Significant digits of a latency.
const DIGITS: u8 = 3;
/// A request that takes longer counts as if it had taken this long: ten minutes, in microseconds.
const LONGEST: u64 = 600_000_000;

impl Tally {
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

    pub fn pulse(&self) -> Pulse {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (accepted, refused) = (counts.accepted, counts.refused);
        Pulse { at: Instant::now(), accepted, refused, errors: counts.errors() }
    }

    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Pulse {
    /// What happened in a second, in the time since another pulse.
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

    /// Whether the server refused requests because one caller sent too many.
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
    use reqwest::StatusCode;

    use super::*;

    #[test]
    fn every_request_counts_once_and_in_one_class() {
        let tally = Tally::new().unwrap();
        let ms = Duration::from_millis;
        tally.add(ms(1), &Answer::Accepted(None));
        tally.add(ms(2), &Answer::Refused);
        tally.add(ms(3), &Answer::Failed(StatusCode::SERVICE_UNAVAILABLE));
        tally.add(ms(4_000_000), &Answer::Lost);
        let counts = tally.counts();
        assert_eq!((counts.requests(), counts.accepted, counts.refused, counts.errors()), (4, 1, 1, 2));
        assert_eq!(counts.errors.keys().collect::<Vec<_>>(), ["503", "no answer"]);
        // Three digits: the upper end of the bucket.
        assert!((2.0..2.002).contains(&counts.ms(50.0)), "{}", counts.ms(50.0));
        assert!(counts.ms(100.0) >= 600_000.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pulse_tells_what_happens_in_a_second() {
        let tally = Tally::new().unwrap();
        tally.add(Duration::ZERO, &Answer::Refused);
        let before = tally.pulse();
        for answer in [Answer::Accepted(None), Answer::Accepted(None), Answer::Lost] {
            tally.add(Duration::ZERO, &answer);
        }
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(tally.pulse().since(before), "4 accepted/s, 0 refused/s, 2 errors/s");
    }
}

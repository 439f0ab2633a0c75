//! The report of a storm.

use std::fmt::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::Mix;
use super::check::Findings;
use super::measurements::Counts;

/// The figures of a storm, as `--json` prints them.
#[derive(Debug, Serialize)]
pub struct Report {
    mix: String,
    /// Guests, or the limit of requests under way in an open loop.
    clients: usize,
    seconds: f64,
    /// The sum of accepted, refused and errors.
    requests: u64,
    accepted: u64,
    /// Refused by a rule, for example sold out or restricted.
    refused: u64,
    /// A failure, or no answer.
    errors: u64,
    accepted_per_second: f64,
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    /// Nights with more rooms taken than the capacity. `None`: not checked.
    oversold: Option<u64>,
    /// Acknowledged bookings or nights that are missing. `None`: not checked.
    lost: Option<u64>,
}

impl Report {
    pub fn new(mix: Mix, clients: usize, took: Duration, counts: &Counts, found: Option<&Findings>) -> Self {
        let seconds = took.as_secs_f64().max(f64::EPSILON);
        Self {
            mix: mix.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default(),
            clients,
            seconds: round(seconds),
            requests: counts.requests(),
            accepted: counts.accepted,
            refused: counts.refused,
            errors: counts.errors(),
            accepted_per_second: round(counts.accepted as f64 / seconds),
            requests_per_second: round(counts.requests() as f64 / seconds),
            p50_ms: round(counts.ms(50.0)),
            p99_ms: round(counts.ms(99.0)),
            p999_ms: round(counts.ms(99.9)),
            max_ms: round(counts.ms(100.0)),
            oversold: found.map(|found| found.oversold),
            lost: found.map(|found| found.lost),
        }
    }

    /// The report for people.
    pub fn text(&self, counts: &Counts, rate: Option<NonZeroU32>) -> String {
        let pace = match rate {
            Some(rate) => format!("{rate} requests due per second"),
            None => format!("{} clients", self.clients),
        };
        let mut text = format!(
            "{}, {pace}, {:.1} s\n\
             {:>10} requests    {:>9.0} per second\n\
             {:>10} accepted    {:>9.0} per second\n\
             {:>10} refused\n\
             {:>10} errors\n\
             latency ms  p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}\n",
            self.mix,
            self.seconds,
            self.requests,
            self.requests_per_second,
            self.accepted,
            self.accepted_per_second,
            self.refused,
            self.errors,
            self.p50_ms,
            self.p99_ms,
            self.p999_ms,
            self.max_ms,
        );
        for (what, count) in &counts.errors {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{count:>10} errors: {what}");
        }
        text += &match (self.oversold, self.lost) {
            (Some(0), Some(0)) => "nothing oversold, nothing lost\n".to_owned(),
            (Some(oversold), Some(lost)) => format!("{oversold} NIGHTS OVERSOLD, {lost} ACKNOWLEDGED WRITES LOST\n"),
            _ => "NOT CHECKED: it is unknown whether a night was oversold or a booking was lost\n".to_owned(),
        };
        text
    }
}

/// To three decimals.
fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

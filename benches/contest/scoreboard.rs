//! The scoreboard: all contenders of one run in a table, because only ratios within one run are comparable.

use std::fmt;
use std::time::Duration;

use super::callers::{Latencies, no_latencies};

/// The measurements so far.
#[derive(Default)]
pub struct Scoreboard(Vec<Score>);

struct Score {
    setting: String,
    contender: &'static str,
    bookings: u64,
    took: Duration,
    /// Empty where no latency was measured.
    latencies: Latencies,
}

impl Scoreboard {
    /// Adds bookings to a contender's score.
    pub fn add(&mut self, setting: &str, contender: &'static str, bookings: u64, took: Duration) {
        let known = self.0.iter().position(|score| score.setting == setting && score.contender == contender);
        let index = known.unwrap_or_else(|| {
            let (setting, latencies) = (setting.to_owned(), no_latencies());
            self.0.push(Score { setting, contender, bookings: 0, took: Duration::ZERO, latencies });
            self.0.len() - 1
        });
        self.0[index].bookings += bookings;
        self.0[index].took += took;
    }

    /// Adds latencies to the latest score.
    pub fn add_latencies(&mut self, latencies: &Latencies) {
        if let Some(score) = self.0.last_mut() {
            score.latencies += latencies;
        }
    }
}

impl Score {
    fn rate(&self) -> f64 {
        self.bookings as f64 / self.took.as_secs_f64()
    }

    fn ms(&self, percentile: f64) -> String {
        match self.latencies.is_empty() {
            true => "–".to_owned(),
            false => format!("{:.2}", self.latencies.value_at_percentile(percentile) as f64 / 1_000.0),
        }
    }
}

/// A table per setting. The first contender is the reference of the ratios.
impl fmt::Display for Scoreboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut setting = "";
        let mut first = 0.0;
        for score in &self.0 {
            if score.setting != setting {
                (setting, first) = (&score.setting, score.rate());
                writeln!(
                    f,
                    "\n{setting:<34} {:>11} {:>9} {:>9} {:>9} {:>13}",
                    "bookings/s", "p50 ms", "p99 ms", "max ms", "first ÷ this"
                )?;
            }
            let (p50, p99, max, ratio) = (score.ms(50.0), score.ms(99.0), score.ms(100.0), first / score.rate());
            writeln!(f, "  {:<32} {:>11.0} {p50:>9} {p99:>9} {max:>9} {ratio:>13.2}", score.contender, score.rate())?;
        }
        Ok(())
    }
}

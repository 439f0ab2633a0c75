//! `innkeeper storm`: load on a running server, and a check afterwards.
//!
//! Owns a load generator that uses the public API only. It finds room types ([`targets`]) and simulates guests ([`guest`])
//! at a pace ([`pace`]). It counts the acknowledged writes ([`acknowledged`]) and measures latencies ([`measurements`]).
//! At the end it compares the acknowledged writes with the API's answers ([`check`]).
//!
//! Invariants: a latency begins when its request was due, so a server that stalls cannot hide it. A write with an unknown
//! outcome is repeated with the same key until it is answered. Limits: [`acknowledged::KEPT`] bookings are read back,
//! [`targets::ROOM_TYPES`] room types are used, [`IN_FLIGHT`] requests are under way at a fixed rate. Failure: when the
//! server stops before the end of the check, the report says that nothing was checked, and the command fails.

mod acknowledged;
mod api;
mod check;
mod guest;
mod measurements;
mod pace;
mod report;
mod targets;
#[cfg(test)]
mod testing;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use tokio::task::JoinSet;

use self::acknowledged::Acknowledged;
use self::api::{Answer, Api};
use self::check::Findings;
use self::guest::Guest;
use self::measurements::Measurements;
use self::pace::Pace;
use self::report::Report;
use self::targets::Targets;
use super::{Outcome, output, progress};
use crate::client::Client;
use crate::shutdown::Signals;

/// Put load on a running server, then check that it oversold nothing and lost nothing.
///
/// The command finds room types by itself and makes real bookings, so use a server whose bookings do not matter. That
/// server must not limit public callers: INNKEEPER_PUBLIC_LIMITS=off, as `serve --demo` sets it. A latency begins when its
/// request is due. Ctrl+C ends the load early; the check and the summary follow.
///
/// Exit code 0: nothing was oversold or lost. 1: a night was oversold, an acknowledged booking is missing, or the check
/// failed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Storm {
    /// Address of the server: http://host:port
    url: String,
    /// The requests of the guests.
    #[arg(long, value_enum, default_value_t = Mix::Hot)]
    mix: Mix,
    /// Closed loop: the number of guests. Each waits for its answer before its next request. Default: 16.
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    clients: Option<NonZeroUsize>,
    /// Open loop: requests per second, even when answers are slow. A server that is too slow makes the storm longer.
    #[arg(long, value_name = "R")]
    rate: Option<NonZeroU32>,
    /// Duration of the load in seconds.
    #[arg(long, value_name = "S", default_value = "10")]
    seconds: NonZeroU32,
    /// Print the summary as JSON. `oversold` and `lost` are null when the check failed.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper storm http://127.0.0.1:8080 --mix hot --clients 64 --seconds 30
  innkeeper storm http://127.0.0.1:8080 --mix last-room                 all guests want the last rooms
  innkeeper storm http://127.0.0.1:8080 --mix read-mostly --rate 2000 --json

A closed loop measures throughput. An open loop measures latency at a given rate, and also shows a server that stalls,
because no request waits for an earlier answer.";

/// The remark about answers with status 429.
const LIMITED: &str = "the server limits public callers (429): start it with INNKEEPER_PUBLIC_LIMITS=off to put load on it \
                       (`serve --demo` does so)";

/// Guests of a closed loop, unless the command line says otherwise.
const CLIENTS: usize = 16;
/// The limit of requests under way in an open loop. Further due requests wait, and their latency grows.
const IN_FLIGHT: usize = 1_024;
/// The interval of the progress bar.
const TICK: Duration = Duration::from_millis(500);

/// The requests of the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// All guests book the same room type.
    Hot,
    /// All guests book any room type.
    Spread,
    /// All guests book all free rooms of the same few nights; the one that succeeds cancels.
    LastRoom,
    /// Each guest books, changes and cancels.
    Churn,
    /// 60 % search, 39 % availability, 0.5 % reading a booking, 0.5 % booking.
    ReadMostly,
}

/// Shared by all guests.
struct Shared {
    api: Api,
    targets: Targets,
    acknowledged: Acknowledged,
    measurements: Measurements,
    pace: Pace,
}

impl Storm {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let api = Api { client: Client::at(&self.url)?.with_attempts(1) };
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let targets = Targets::find(&api.client, self.mix).await?;
        let acknowledged = Acknowledged::none_of(&targets);
        let pace = Pace::new(self.rate, Duration::from_secs(self.seconds.get().into()));
        let shared = Arc::new(Shared { api, targets, acknowledged, measurements: Measurements::new()?, pace });

        let guests = self.run_guests(&shared, &mut signals).await?;
        let took = shared.pace.elapsed();
        let checked = tokio::select! {
            checked = check::check(&shared, guests) => checked,
            signal = signals.next() => Err(anyhow!("stopped by {signal} before the end of the check")),
        };
        self.report(&shared, took, checked)
    }

    fn guests(&self) -> usize {
        match self.rate {
            Some(_) => IN_FLIGHT,
            None => self.clients.map_or(CLIENTS, NonZeroUsize::get),
        }
    }

    /// Runs all guests to their end. The first signal stops new requests, the second one stops the command at once.
    async fn run_guests(&self, shared: &Arc<Shared>, signals: &mut Signals) -> anyhow::Result<Vec<Guest>> {
        let mut running = JoinSet::new();
        for _ in 0..self.guests() {
            running.spawn(run_guest(shared.clone(), Guest::of(self.mix)));
        }
        let bar = progress::clock(self.seconds.get().into(), "load");
        let (mut tick, mut latest) = (tokio::time::interval(TICK), shared.measurements.progress());
        let mut guests = Vec::with_capacity(running.len());
        while !running.is_empty() {
            tokio::select! {
                Some(guest) = running.join_next() => guests.push(guest?),
                signal = signals.next() => match shared.pace.is_stopped() {
                    false => shared.pace.stop(),
                    true => bail!("stopped by {signal}, with requests under way"),
                },
                _ = tick.tick() => {
                    let before = std::mem::replace(&mut latest, shared.measurements.progress());
                    bar.set_position(shared.pace.elapsed().as_secs());
                    bar.set_prefix(latest.since(before));
                }
            }
        }
        bar.finish_and_clear();
        Ok(guests)
    }

    /// Prints the report, also when the check failed.
    fn report(&self, shared: &Shared, took: Duration, checked: anyhow::Result<Findings>) -> anyhow::Result<Outcome> {
        let counts = shared.measurements.counts();
        let report = Report::new(self.mix, self.guests(), took, &counts, checked.as_ref().ok());
        let remarks = checked.iter().flat_map(Findings::remarks);
        remarks.for_each(|remark| output::remark(format_args!("{remark}\n")));
        if counts.was_limited() {
            output::remark(format_args!("{LIMITED}\n"));
        }
        match self.json {
            true => output::line(serde_json::to_string(&report)?)?,
            false => output::print(report.text(&counts, self.rate))?,
        }
        anyhow::ensure!(checked?.is_clean(), "the server oversold nights or lost acknowledged writes");
        Ok(Outcome::Done)
    }
}

/// Runs one guest from its first request to its last.
async fn run_guest(shared: Arc<Shared>, mut guest: Guest) -> Guest {
    while let Some(due) = shared.pace.next().await {
        let request = guest.next(&shared.targets);
        let answer = shared.api.send(&request).await;
        shared.measurements.add(due.elapsed(), &answer);
        let failed = matches!(answer, Answer::Failed(_) | Answer::Lost);
        guest.receive(request, answer, &shared.acknowledged);
        if failed {
            shared.pace.pause_after_failure().await;
        }
    }
    guest
}

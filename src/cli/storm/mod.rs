//! `innkeeper storm`: many guests at once, against any innkeeper, and then the question whether it kept its word.
//!
//! Owns a load generator that knows the API and nothing else: it finds room types ([`site`]), plays guests ([`guest`])
//! at a pace ([`pace`]), keeps account of what was acknowledged ([`books`]) and of how long it took ([`tally`]), and in
//! the end compares the server's story with its own ([`check`]). It never looks into a database.
//!
//! Invariants: a request counts from the moment it was due, so that a server that stalls cannot hide it; a write whose
//! answer got lost is repeated under its key until it is answered. Limits: [`books::REMEMBERED`] bookings are read back,
//! [`site::ROOM_TYPES`] room types are looked at, [`IN_FLIGHT`] requests are under way at a fixed rate.

mod api;
mod books;
mod check;
mod guest;
mod pace;
mod report;
mod site;
mod tally;
#[cfg(test)]
mod testing;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use tokio::task::JoinSet;

use self::api::Api;
use self::books::Books;
use self::check::Findings;
use self::guest::Guest;
use self::pace::Pace;
use self::report::Report;
use self::site::Site;
use self::tally::Tally;
use super::remote::Remote;
use super::{Outcome, output, progress};
use crate::shutdown::Signals;

/// Put a running innkeeper under load, then check that it neither oversold nor lost anything.
///
/// It finds room types by itself and books them for real: point it at a server whose bookings do not matter. Ctrl+C
/// ends it early, with the check and the summary.
///
/// Exit code 0: it kept its word. 1: a night was oversold or an acknowledged booking is not there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Storm {
    /// Where the server is: http://host:port
    url: String,
    /// What the guests do.
    #[arg(long, value_enum, default_value_t = Mix::Hot)]
    mix: Mix,
    /// Closed loop: so many guests, each of whom waits for an answer before the next request. Default: 16.
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    clients: Option<NonZeroUsize>,
    /// Open loop: so many requests in a second, however slow the answers are. A server that cannot keep up makes the
    /// storm longer.
    #[arg(long, value_name = "R")]
    rate: Option<NonZeroU32>,
    /// How long.
    #[arg(long, value_name = "S", default_value = "10")]
    seconds: NonZeroU32,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper storm http://127.0.0.1:8080 --mix hot --clients 64 --seconds 30
  innkeeper storm http://127.0.0.1:8080 --mix read-mostly --rate 2000 --json";

/// Guests of a closed loop, unless the command line says otherwise.
const CLIENTS: usize = 16;
/// Requests under way at once in an open loop; what is due beyond waits, and its time counts.
const IN_FLIGHT: usize = 1_024;
/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(250);

/// What the guests do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// Everybody books the same room type.
    Hot,
    /// Everybody books any room type.
    Spread,
    /// Everybody books all that is left of the same few nights; who gets it cancels.
    LastRoom,
    /// Book, change, cancel, and again.
    Churn,
    /// 60 % search, 39 % availability, 0.5 % reading one's booking, 0.5 % booking.
    ReadMostly,
}

/// What all guests share.
struct Ground {
    api: Api,
    site: Site,
    books: Books,
    tally: Tally,
    pace: Pace,
}

impl Storm {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let api = Api { remote: Remote::at(&self.url)? };
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let site = Site::survey(&api.remote, self.mix).await?;
        let books = Books::over(&site);
        let pace = Pace::new(self.rate, Duration::from_secs(self.seconds.get().into()));
        let ground = Arc::new(Ground { api, site, books, tally: Tally::new()?, pace });

        let guests = self.rage(&ground, &mut signals).await?;
        let took = ground.pace.elapsed();
        let findings = tokio::select! {
            findings = check::check(&ground, guests) => findings?,
            signal = signals.next() => anyhow::bail!("stopped by {signal} before everything was checked"),
        };
        self.conclude(&ground, took, &findings)
    }

    fn guests(&self) -> usize {
        match self.rate {
            Some(_) => IN_FLIGHT,
            None => self.clients.map_or(CLIENTS, NonZeroUsize::get),
        }
    }

    /// Lets all guests in and waits until the last one has left.
    async fn rage(&self, ground: &Arc<Ground>, signals: &mut Signals) -> anyhow::Result<Vec<Guest>> {
        let mut crowd = JoinSet::new();
        for _ in 0..self.guests() {
            crowd.spawn(stay(ground.clone(), Guest::of(self.mix)));
        }
        let bar = progress::bar(self.seconds.get().into(), "storming");
        let mut tick = tokio::time::interval(TICK);
        let mut guests = Vec::with_capacity(crowd.len());
        while !crowd.is_empty() {
            tokio::select! {
                Some(left) = crowd.join_next() => guests.push(left?),
                _ = signals.next() => ground.pace.stop(),
                _ = tick.tick() => bar.set_position(ground.pace.elapsed().as_secs()),
            }
        }
        bar.finish_and_clear();
        Ok(guests)
    }

    fn conclude(&self, ground: &Ground, took: Duration, findings: &Findings) -> anyhow::Result<Outcome> {
        let (counts, pace) = (ground.tally.counts(), (self.guests(), self.rate.map(NonZeroU32::get)));
        let report = Report::new(self.mix, pace, took, &counts, findings);
        findings.remarks().iter().for_each(|remark| output::remark(format_args!("{remark}\n")));
        match self.json {
            true => output::line(serde_json::to_string(&report)?)?,
            false => output::print(report.text(&counts))?,
        }
        anyhow::ensure!(findings.is_clean(), "the server did not keep its word");
        Ok(Outcome::Done)
    }
}

/// One guest, from the first request to the last.
async fn stay(ground: Arc<Ground>, mut guest: Guest) -> Guest {
    while let Some(due) = ground.pace.next().await {
        let request = guest.next(&ground.site);
        let answer = ground.api.send(&request).await;
        ground.tally.add(due.elapsed(), &answer);
        guest.told(request, answer, &ground.books);
    }
    guest
}

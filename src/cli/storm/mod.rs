//! `innkeeper storm`: many guests at once, against any innkeeper, and then the question whether it kept its word.
//!
//! Owns a load generator that knows the API and nothing else: it finds room types ([`site`]), plays guests ([`guest`])
//! at a pace ([`pace`]), keeps account of what was acknowledged ([`books`]) and of how long it took ([`tally`]), and in
//! the end compares the server's story with its own ([`check`]). It never looks into a database.
//!
//! Invariants: a request counts from the moment it was due, so that a server that stalls cannot hide it; a write whose
//! answer got lost is repeated under its key until it is answered. Limits: [`books::REMEMBERED`] bookings are read back,
//! [`site::ROOM_TYPES`] room types are looked at, [`IN_FLIGHT`] requests are under way at a fixed rate. Failure: when the
//! server is gone before everything was checked, the figures say that nobody knows, and the command fails.

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

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use tokio::task::JoinSet;

use self::api::{Answer, Api};
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
/// It finds room types by itself and books them for real: point it at a server whose bookings do not matter, and that
/// does not limit public callers (INNKEEPER_PUBLIC_LIMITS=off, as `serve --demo` has it). Latencies
/// run from the moment a request was due. Ctrl+C ends it early, with the check and the summary.
///
/// Exit code 0: it kept its word. 1: a night was oversold, an acknowledged booking is not there, or nobody could tell.
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
    /// Print the summary as JSON. `oversold` and `lost` are null if they could not be checked.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  innkeeper storm http://127.0.0.1:8080 --mix hot --clients 64 --seconds 30
  innkeeper storm http://127.0.0.1:8080 --mix last-room                 who gets the last rooms, again and again
  innkeeper storm http://127.0.0.1:8080 --mix read-mostly --rate 2000 --json

How many clients a server takes (closed loop) and how long it takes at a given rate (open loop) are two questions: only
the second one notices a server that stalls, because nobody waits for it before the next request.";

/// What to do about 429.
const LIMITED: &str = "the server limits public callers (429): to put load on it, start it with INNKEEPER_PUBLIC_LIMITS=off \
                       (`serve --demo` does)";

/// Guests of a closed loop, unless the command line says otherwise.
const CLIENTS: usize = 16;
/// Requests under way at once in an open loop; what is due beyond waits, and its time counts.
const IN_FLIGHT: usize = 1_024;
/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(500);

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
        let checked = tokio::select! {
            checked = check::check(&ground, guests) => checked,
            signal = signals.next() => Err(anyhow!("stopped by {signal} before everything was checked")),
        };
        self.conclude(&ground, took, checked)
    }

    fn guests(&self) -> usize {
        match self.rate {
            Some(_) => IN_FLIGHT,
            None => self.clients.map_or(CLIENTS, NonZeroUsize::get),
        }
    }

    /// Lets all guests in and waits until the last one has left. Who is told to stop twice does not wait for answers.
    async fn rage(&self, ground: &Arc<Ground>, signals: &mut Signals) -> anyhow::Result<Vec<Guest>> {
        let mut crowd = JoinSet::new();
        for _ in 0..self.guests() {
            crowd.spawn(stay(ground.clone(), Guest::of(self.mix)));
        }
        let bar = progress::clock(self.seconds.get().into(), "storming");
        let (mut tick, mut so_far) = (tokio::time::interval(TICK), ground.tally.pulse());
        let mut guests = Vec::with_capacity(crowd.len());
        while !crowd.is_empty() {
            tokio::select! {
                Some(left) = crowd.join_next() => guests.push(left?),
                signal = signals.next() => match ground.pace.is_stopped() {
                    false => ground.pace.stop(),
                    true => bail!("stopped by {signal}, with requests under way"),
                },
                _ = tick.tick() => {
                    let before = std::mem::replace(&mut so_far, ground.tally.pulse());
                    bar.set_position(ground.pace.elapsed().as_secs());
                    bar.set_prefix(so_far.since(before));
                }
            }
        }
        bar.finish_and_clear();
        Ok(guests)
    }

    /// Prints what was measured, whatever could be checked.
    fn conclude(&self, ground: &Ground, took: Duration, checked: anyhow::Result<Findings>) -> anyhow::Result<Outcome> {
        let counts = ground.tally.counts();
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
        anyhow::ensure!(checked?.is_clean(), "the server did not keep its word");
        Ok(Outcome::Done)
    }
}

/// One guest, from the first request to the last.
async fn stay(ground: Arc<Ground>, mut guest: Guest) -> Guest {
    while let Some(due) = ground.pace.next().await {
        let request = guest.next(&ground.site);
        let answer = ground.api.send(&request).await;
        ground.tally.add(due.elapsed(), &answer);
        let failed = matches!(answer, Answer::Failed(_) | Answer::Lost);
        guest.told(request, answer, &ground.books);
        if failed {
            ground.pace.breathe().await;
        }
    }
    guest
}

//! `innkeeper import bookings`: a real hotel's reservations, replayed through the engine.
//!
//! Reads the whole file ([`source`], [`row`]), computes the order of all moves ([`schedule`]) and the number of rooms
//! ([`demand`]). Then it creates the hotels ([`catalogue`]) and replays the moves ([`replay`]) on a manual clock, through the
//! same actors and the same writer as `serve`. At the end it reports ([`mod@report`]).
//!
//! Invariant: a file with a broken row changes nothing. When the replay is stopped, every answered move is durable and
//! counted correctly, and the imported hotel is incomplete.

mod catalogue;
mod demand;
mod replay;
mod report;
mod row;
mod schedule;
mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Subcommand;

use self::catalogue::ImportCatalogue;
use self::demand::Capacity;
use self::replay::Replay;
use self::report::Report;
use self::schedule::Schedule;
use self::source::Source;
use super::{Outcome, SETTINGS_HELP, output, progress, with_store};
use crate::app;
use crate::clock::{ManualClock, System};
use crate::config::Config;
use crate::config::flags::CommonFlags;
use crate::store::Store;

/// Import data.
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Bookings(Bookings),
}

/// Replay the reservations of a CSV file in the public "Hotel booking demand" format.
///
/// Creates one hotel per name in the column `hotel`, and its room types from the column `reserved_room_type`. Then it
/// replays every reservation in the order of its dates: booked lead_time days before arrival, cancelled on
/// reservation_status_date, checked in on arrival, checked out after the last night, no-show on the day of arrival.
/// Guests are adults of 30, children of 8 and babies of 1 year, with invented names. The price is `adr` in euros.
///
/// A row without a night or without a guest is skipped, and its line is printed. A row of children without an adult is
/// imported and counted. A broken row is an error that names its line, and nothing is imported. A file that is imported
/// twice creates two hotels.
///
/// In the report, nights_sold counts the room nights of guests who arrived, and the first night of each no-show.
/// revenue_minor is the price of these nights. Cancelled bookings are not counted.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Bookings {
    /// The CSV file. Its first line names the columns.
    file: PathBuf,
    /// Rooms of each room type: peak (the fewest with which nothing is refused), p95 (the 95th percentile of nightly
    /// demand, from first to last arrival), or a number.
    #[arg(long, default_value = "peak", value_name = "peak|p95|N", allow_hyphen_values = true)]
    capacity: Capacity,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// The city of the imported hotels. The file does not name it.
    #[arg(long, default_value = "Algarve")]
    city: String,
    #[command(flatten)]
    settings: CommonFlags,
}

/// The limit of unanswered moves. A mailbox of the default size holds all of them.
const IN_FLIGHT: usize = 512;
/// The time-out of one move. It is long, because the replay cannot repeat a move.
const PATIENCE: Duration = Duration::from_secs(120);

impl Import {
    pub fn settings(&self) -> &CommonFlags {
        let What::Bookings(bookings) = &self.what;
        &bookings.settings
    }

    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        let What::Bookings(bookings) = &self.what;
        let source = Source::open(&bookings.file)?;
        output::remark(report::remarks(&source));
        let report = bookings.import(&source, config).await?;
        match bookings.json {
            true => output::line(serde_json::to_string(&report)?)?,
            false => output::print(report.text())?,
        }
        Ok(Outcome::Done)
    }
}

impl Bookings {
    async fn import(&self, source: &Source, config: Config) -> anyhow::Result<Report> {
        let schedule = Schedule::of(&source.reservations);
        let rooms = demand::rooms(self.capacity, source, &demand::demand(source, &schedule));
        let catalogue =
            ImportCatalogue::plan(self, source, &rooms, &System).map_err(|rule| anyhow::anyhow!("{rule}"))?;
        let start = catalogue.instant(schedule.first_day().context("there is nothing to import")?);

        with_store(&config, async |store| {
            let clock = Arc::new(ManualClock::at(start));
            let options = crate::engine::Options { answer_within: PATIENCE, ..config.engine.clone() };
            let engine = app::start_engine(&options, store.clone(), clock.clone());
            let in_flight = IN_FLIGHT.min(options.mailbox);
            let replay = Replay { engine: &engine, clock: &clock, source, catalogue: &catalogue, in_flight };
            let report = report(&replay, &schedule, &**store).await;
            engine.shutdown().await;
            report
        })
        .await
    }
}

/// Creates the hotels and replays the moves.
async fn report(replay: &Replay<'_>, schedule: &Schedule, store: &dyn Store) -> anyhow::Result<Report> {
    let Replay { source, catalogue, engine, .. } = *replay;
    catalogue
        .open(source, store, engine, &System)
        .await
        .context("cannot create the hotels; no booking was imported")?;
    let bar = progress::bar(schedule.moves() as u64, "replaying");
    let started = Instant::now();
    let outcome = replay.run(schedule, &bar).await;
    let took = started.elapsed();
    bar.finish_and_clear();
    Ok(Report::new(source, catalogue, &outcome?, took))
}

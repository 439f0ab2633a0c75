//! `innkeeper import bookings`: a real hotel's reservations, replayed through the real engine.
//!
//! Reads the whole file ([`source`], [`row`]), works out when everything happened ([`schedule`]) and how many rooms that
//! takes ([`demand`]), opens the hotels ([`house`]), and replays ([`replay`]) on a manual clock, through the same actors
//! and the same writer as `serve`. At the end it reports ([`mod@report`]).
//!
//! Invariant: a file with a broken row changes nothing. When the replay itself is stopped, every move that was answered
//! is durable and counted right; the imported hotel is merely incomplete.

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

/// Take over data from elsewhere.
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
/// Makes one hotel per name in the column `hotel` and its room types (column `reserved_room_type`), then books, cancels,
/// checks in and out in the order in which it happened: booked lead_time days before arrival, cancelled on
/// reservation_status_date, checked in on arrival, checked out after the last night, no-shows on the day of arrival.
/// Guests are adults of 30, children of 8 and babies of 1 year, with made-up names; the price is `adr`, in euros.
///
/// A row with no nights or no guests is skipped, and its line is printed. A row of children without an adult is imported
/// and counted. A broken row is an error that names its line, and nothing is imported. Importing a file twice makes two
/// hotels.
///
/// In the report, nights_sold are the room nights of guests who came, and the first night of those who did not;
/// revenue_minor is the price of these nights. Cancelled bookings count nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Bookings {
    /// The CSV file; its first line names the columns.
    file: PathBuf,
    /// How many rooms each room type gets: peak (just enough that nothing is refused), p95 (the 95th percentile of
    /// nightly demand, from first to last arrival), or a number.
    #[arg(long, default_value = "peak", value_name = "peak|p95|N", allow_hyphen_values = true)]
    capacity: Capacity,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// The city of the imported hotels; the file does not tell.
    #[arg(long, default_value = "Algarve")]
    city: String,
    #[command(flatten)]
    settings: CommonFlags,
}

/// Moves sent and not yet answered, at most; a mailbox of the default size takes them all.
const IN_FLIGHT: usize = 512;
/// The replay waits for a slow disk; there is nobody to be told to come back later.
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
        let house = ImportCatalogue::plan(self, source, &rooms, &System).map_err(|rule| anyhow::anyhow!("{rule}"))?;
        let start = house.instant(schedule.first_day().context("there is nothing to import")?);

        with_store(&config, async |store| {
            let clock = Arc::new(ManualClock::at(start));
            let options = crate::engine::Options { answer_within: PATIENCE, ..config.engine.clone() };
            let engine = app::start_engine(&options, store.clone(), clock.clone());
            let in_flight = IN_FLIGHT.min(options.mailbox);
            let replay = Replay { engine: &engine, clock: &clock, source, house: &house, in_flight };
            let report = report(&replay, &schedule, &**store).await;
            engine.shutdown().await;
            report
        })
        .await
    }
}

/// Opens the house and replays what happened there.
async fn report(replay: &Replay<'_>, schedule: &Schedule, store: &dyn Store) -> anyhow::Result<Report> {
    let Replay { source, house, engine, .. } = *replay;
    house.open(source, store, engine, &System).await.context("cannot make the hotels; no booking was imported")?;
    let bar = progress::bar(schedule.moves() as u64, "replaying");
    let started = Instant::now();
    let outcome = replay.run(schedule, &bar).await;
    let took = started.elapsed();
    bar.finish_and_clear();
    Ok(Report::new(source, house, &outcome?, took))
}

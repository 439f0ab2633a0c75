//! Many guests want the same room: bookings per second of innkeeper and of the baselines.
//!
//! All have the same rows, file, settings (WAL, synchronous=FULL) and run. With `INNKEEPER_BENCH_STORE=postgres` all use
//! PostgreSQL (fsync on, on the disk of the build). Throughput is bookings per second. A table at the end has all results.
//! How to read it: `benches/README.md`.

mod baselines;
mod contest;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use actix_rt::{System, SystemRunner};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use innkeeper::store::CommitEntry;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

use baselines::{postgres, rows};
use contest::callers::{self, Callers};
use contest::contender::{Contender, Interface, Stage};
use contest::database::BenchDatabase;
use contest::scoreboard::Scoreboard;
use contest::setup::BenchSetup;

/// The default number of room types of a large catalogue.
const LARGE_CATALOGUE: usize = 100_000;
const LARGE_CATALOGUE_VARIABLE: &str = "INNKEEPER_BENCH_CATALOGUE";

type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// The bench as a whole.
struct Contest {
    system: SystemRunner,
    scores: RefCell<Scoreboard>,
}

/// One line of the scoreboard with its parameters.
struct Round<'r> {
    setting: &'r str,
    name: &'static str,
    contender: Contender,
    interface: Interface,
    catalogue: usize,
    wanted: usize,
    guests: usize,
}

impl Contest {
    /// An iteration is one booking by each of `guests` guests at the same moment.
    fn rush(&self, group: &mut Group<'_>, round: &Round<'_>) {
        let mut stage = None;
        group.throughput(Throughput::Elements(round.guests as u64));
        group.bench_function(round.name, |bench| {
            let stage = stage.get_or_insert_with(|| self.system.block_on(round.stage()));
            bench.iter_custom(|rounds| {
                let mut latencies = callers::no_latencies();
                let rush = async {
                    let mut took = Duration::ZERO;
                    for _ in 0..rounds {
                        took += callers::rush(&stage.seller, &stage.setup, round.guests, &mut latencies).await;
                    }
                    took
                };
                let took = self.system.block_on(rush);
                self.score(round, rounds * round.guests as u64, took);
                self.scores.borrow_mut().add_latencies(&latencies);
                took
            });
        });
        if let Some(stage) = stage {
            self.system.block_on(stage.close());
        }
    }

    /// An iteration is as many bookings as guests, measured while the guests book all the time.
    fn sustained(&self, group: &mut Group<'_>, round: &Round<'_>) {
        let mut stage = None;
        group.throughput(Throughput::Elements(round.guests as u64));
        group.bench_function(round.name, |bench| {
            let (_, callers) = stage.get_or_insert_with(|| {
                self.system.block_on(async {
                    let stage = round.stage().await;
                    let callers = Callers::start(&stage.seller, &stage.setup, round.guests);
                    (stage, callers)
                })
            });
            bench.iter_custom(|rounds| {
                let bookings = u32::try_from(rounds * round.guests as u64).unwrap();
                let took = self.system.block_on(callers.watch(bookings));
                self.score(round, bookings.into(), took);
                took
            });
        });
        if let Some((stage, callers)) = stage {
            let latencies = self.system.block_on(callers.stop());
            self.scores.borrow_mut().add_latencies(&latencies);
            self.system.block_on(stage.close());
        }
    }

    /// The same rows in batches of 256 without any check: the upper bound of the database.
    fn bare(&self, group: &mut Group<'_>, setting: &str) {
        const NAME: &str = "bare_inserts_of_256";
        const BATCH: u64 = 256;
        let mut stage = None;
        let mut sequence = 0;
        group.throughput(Throughput::Elements(BATCH));
        group.bench_function(NAME, |bench| {
            let (setup, connection) = stage.get_or_insert_with(|| {
                self.system.block_on(async {
                    let setup = BenchSetup::open(1, 1).await;
                    let connection = Bare::connect(&setup.database).await;
                    (setup, connection)
                })
            });
            bench.iter_custom(|rounds| {
                let mut took = Duration::ZERO;
                for _ in 0..rounds {
                    let batch: Vec<_> =
                        (0..BATCH).map(|_| baselines::unchecked_entry(&setup.stay_request(), &mut sequence)).collect();
                    let started = Instant::now();
                    self.system.block_on(connection.insert_batch(&batch));
                    took += started.elapsed();
                }
                self.scores.borrow_mut().add(setting, NAME, rounds * BATCH, took);
                took
            });
        });
    }

    fn score(&self, round: &Round<'_>, bookings: u64, took: Duration) {
        self.scores.borrow_mut().add(round.setting, round.name, bookings, took);
    }
}

/// A connection that inserts without any check.
enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Bare {
    async fn connect(database: &BenchDatabase) -> Self {
        match database {
            BenchDatabase::Sqlite(_) => Self::Sqlite(rows::connect(&database.path()).await),
            BenchDatabase::Postgres(url) => Self::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    async fn insert_batch(&mut self, batch: &[CommitEntry]) {
        match self {
            Self::Sqlite(connection) => rows::insert_batch(connection, batch).await,
            Self::Postgres(connection) => postgres::rows::insert_batch(connection, batch).await,
        }
    }
}

impl Round<'_> {
    async fn stage(&self) -> Stage {
        Stage::open(self.contender, self.interface, self.catalogue, self.wanted).await
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> Group<'c> {
    let mut group = criterion.benchmark_group(name.replace(", ", "/").replace(' ', "_"));
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    group
}

/// A rush of 64 guests, and then callers for one room type and for 64.
fn in_process(criterion: &mut Criterion, contest: &Contest) {
    let setting = "1 room type, rush of 64";
    let mut rush = group(criterion, setting);
    Contender::ALL
        .into_iter()
        .for_each(|contender| contest.rush(&mut rush, &in_process_round(setting, contender, 1, 64)));
    rush.finish();
    for (wanted, callers) in [(1, 1), (1, 16), (1, 64), (1, 256), (64, 1), (64, 16), (64, 64), (64, 256)] {
        let plural = if wanted == 1 { "" } else { "s" };
        let setting = format!("{wanted} room type{plural}, {callers} callers");
        let mut group = group(criterion, &setting);
        for contender in Contender::ALL {
            contest.sustained(&mut group, &in_process_round(&setting, contender, wanted, callers));
        }
        if (wanted, callers) == (1, 256) {
            contest.bare(&mut group, &setting);
        }
    }
}

fn in_process_round(setting: &str, contender: Contender, wanted: usize, guests: usize) -> Round<'_> {
    let (name, interface) = (contender.name(), Interface::InProcess);
    Round { setting, name, contender, interface, catalogue: wanted, wanted, guests }
}

/// The same over HTTP with kept connections.
fn over_http(criterion: &mut Criterion, contest: &Contest) {
    let round = |setting, contender: Contender| {
        let (name, interface) = (contender.name(), Interface::Http);
        Round { setting, name, contender, interface, catalogue: 1, wanted: 1, guests: 64 }
    };
    let setting = "HTTP, 1 room type, rush of 64";
    let mut rush = group(criterion, setting);
    Contender::OVER_HTTP.into_iter().for_each(|contender| contest.rush(&mut rush, &round(setting, contender)));
    rush.finish();
    let setting = "HTTP, 1 room type, 64 connections";
    let mut sustained = group(criterion, setting);
    Contender::OVER_HTTP
        .into_iter()
        .for_each(|contender| contest.sustained(&mut sustained, &round(setting, contender)));
}

/// Measures whether a larger catalogue makes bookings slower.
fn catalogue(criterion: &mut Criterion, contest: &Contest) {
    // `cargo test --benches` runs without `--bench`: then the bench only checks that it works.
    let trial = !std::env::args().any(|argument| argument == "--bench");
    let large = std::env::var(LARGE_CATALOGUE_VARIABLE).ok().and_then(|number| number.parse().ok());
    let large = large.unwrap_or(if trial { 1_000 } else { LARGE_CATALOGUE });
    let setting = "64 room types of a catalogue, 64 callers";
    let mut group = group(criterion, setting);
    for (name, catalogue) in [("of_64", 64), ("of_many", large)] {
        let (contender, interface) = (Contender::Handle, Interface::InProcess);
        contest
            .sustained(&mut group, &Round { setting, name, contender, interface, catalogue, wanted: 64, guests: 64 });
    }
}

fn contention(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let contest = Contest { system: System::with_tokio_rt(|| runtime), scores: RefCell::default() };
    in_process(criterion, &contest);
    over_http(criterion, &contest);
    catalogue(criterion, &contest);
    println!("{}", contest.scores.borrow());
}

criterion_group!(benches, contention);
criterion_main!(benches);

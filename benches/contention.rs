//! Everybody wants the same room: bookings per second of innkeeper and of the ways others do it.
//!
//! Same rows, same file, same settings (WAL, synchronous=FULL), same run. Throughput is bookings per second; the table
//! at the end says it all at once. How to read it: `benches/README.md`.

mod baselines;
mod contest;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use actix_rt::{System, SystemRunner};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

use baselines::rows;
use contest::callers::{self, Crowd};
use contest::contender::{Contender, Stage};
use contest::house::House;
use contest::scoreboard::Scoreboard;

/// The bench as a whole.
struct Contest {
    system: SystemRunner,
    scores: RefCell<Scoreboard>,
}

impl Contest {
    /// An iteration is `guests` guests who come at the same moment and book once each.
    fn rush(&self, group: &mut Group<'_>, contender: Contender, guests: usize) {
        let mut stage = None;
        group.throughput(Throughput::Elements(guests as u64));
        group.bench_function(contender.name(), |bench| {
            let stage = stage.get_or_insert_with(|| self.system.block_on(Stage::open(contender, 1)));
            bench.iter_custom(|rounds| {
                let mut latencies = callers::no_latencies();
                let rush = async {
                    let mut took = Duration::ZERO;
                    for _ in 0..rounds {
                        took += callers::rush(&stage.desk, &stage.house, guests, &mut latencies).await;
                    }
                    took
                };
                let took = self.system.block_on(rush);
                self.score(&format!("rush of {guests}"), contender.name(), rounds * guests as u64, took);
                self.scores.borrow_mut().add_latencies(&latencies);
                took
            });
        });
        if let Some(stage) = stage {
            self.system.block_on(stage.close());
        }
    }

    /// An iteration is as many bookings as there are callers, somewhere in the middle of an endless row of them.
    fn sustained(&self, group: &mut Group<'_>, contender: Contender, room_types: usize, callers: usize) {
        let setting = format!("{room_types} room types, {callers} callers");
        let mut stage = None;
        group.throughput(Throughput::Elements(callers as u64));
        group.bench_function(contender.name(), |bench| {
            let (_, crowd) = stage.get_or_insert_with(|| {
                self.system.block_on(async {
                    let stage = Stage::open(contender, room_types).await;
                    let crowd = Crowd::gather(&stage.desk, &stage.house, callers);
                    (stage, crowd)
                })
            });
            bench.iter_custom(|rounds| {
                let bookings = u32::try_from(rounds * callers as u64).unwrap();
                let took = self.system.block_on(crowd.watch(bookings));
                self.score(&setting, contender.name(), bookings.into(), took);
                took
            });
        });
        if let Some((stage, crowd)) = stage {
            let latencies = self.system.block_on(crowd.dismiss());
            self.scores.borrow_mut().add_latencies(&latencies);
            self.system.block_on(stage.close());
        }
    }

    /// The same rows in batches of 256 without a question asked: nothing can be faster on this file.
    fn bare(&self, group: &mut Group<'_>, setting: &str) {
        const BATCH: u64 = 256;
        let mut stage = None;
        let mut sequence = 0;
        group.throughput(Throughput::Elements(BATCH));
        group.bench_function("bare_inserts_of_256", |bench| {
            let (house, connection) = stage.get_or_insert_with(|| {
                self.system.block_on(async {
                    let house = House::open(1, 1).await;
                    let connection = rows::connect(&house.path()).await;
                    (house, connection)
                })
            });
            bench.iter_custom(|rounds| {
                let mut took = Duration::ZERO;
                for _ in 0..rounds {
                    let batch: Vec<_> = (0..BATCH).map(|_| baselines::made_up(&house.wish(), &mut sequence)).collect();
                    let started = Instant::now();
                    self.system.block_on(rows::insert_batch(connection, &batch));
                    took += started.elapsed();
                }
                self.score(setting, "bare_inserts_of_256", rounds * BATCH, took);
                took
            });
        });
    }

    fn score(&self, setting: &str, contender: &'static str, bookings: u64, took: Duration) {
        self.scores.borrow_mut().add(setting, contender, bookings, took);
    }
}

type Group<'c> = BenchmarkGroup<'c, WallTime>;

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    group
}

fn contention(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let contest = Contest { system: System::with_tokio_rt(|| runtime), scores: RefCell::default() };
    for guests in [16, 64, 256] {
        let mut group = group(criterion, &format!("rush_of_{guests}"));
        Contender::ALL.into_iter().for_each(|contender| contest.rush(&mut group, contender, guests));
    }
    for room_types in [1, 64] {
        for callers in [1, 16, 64, 256] {
            let mut group = group(criterion, &format!("{room_types}_room_types_{callers}_callers"));
            for contender in Contender::ALL {
                contest.sustained(&mut group, contender, room_types, callers);
            }
            if (room_types, callers) == (1, 256) {
                contest.bare(&mut group, "1 room types, 256 callers");
            }
        }
    }
    println!("{}", contest.scores.borrow());
}

criterion_group!(benches, contention);
criterion_main!(benches);

//! Search in a city of 1,000 hotels × 5 room types: from the index, and the same answer from SQL over the nights table.
//!
//! Bulk SQL writes the catalogue into a temporary file, and the index is built from it. Both ways search the same stays, and
//! their answers are compared before the measurement. `INNKEEPER_BENCH_HOTELS` is the number of hotels (default 2,000; the
//! target is for 100,000). The bench prints the build time and memory.
//! Run with `INNKEEPER_BENCH_HOTELS=100000 cargo bench --bench search`.

mod baseline;
mod catalogue;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use innkeeper::clock::ManualClock;
use innkeeper::domain::catalogue::Coordinates;
use innkeeper::domain::{Date, Party, Stay, Timestamp};
use innkeeper::events::Hub;
use innkeeper::search::calendar::Visit;
use innkeeper::search::{self, Index, Position, Search, SearchArea, Sort};
use innkeeper::store::sqlite::Sqlite;
use innkeeper::tasks::Tasks;
use jiff::ToSpan;
use tokio::runtime::Runtime;

use baseline::Baseline;
use catalogue::{CITY, TODAY};

const PARTY: Party = Party { adults: 2, children: 0 };
const PAGE: usize = 20;

fn now() -> Timestamp {
    "2026-05-01T11:00:00Z".parse().expect("an instant")
}

/// Stays of one to seven nights over half a year, so that no cache has the answer.
fn stays() -> impl Iterator<Item = Stay> + Clone {
    let stay = |number: i64| {
        let arrival: Date = TODAY.saturating_add((number * 37 % 160).days());
        Stay::new(arrival, arrival.saturating_add((1 + number % 7).days())).expect("a stay has nights")
    };
    (0..).map(stay)
}

fn wanted(place: SearchArea, stay: Stay, sort: Sort, after: Option<Position>) -> Search {
    Search { place, stay, party: PARTY, rooms: 1, sort, after, limit: PAGE }
}

fn in_city(stay: Stay) -> Search {
    wanted(SearchArea::City(CITY.into()), stay, Sort::Price, None)
}

/// Megabytes of memory this process occupies.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// Builds the index of a file and prints the time.
fn build(runtime: &Runtime, url: &str) -> Index {
    let (index, hub, clock) = (Index::default(), Hub::default(), Arc::new(ManualClock::at(now())));
    let before = resident();
    let started = Instant::now();
    runtime.block_on(async {
        let store = Arc::new(Sqlite::open(url, false).await.expect("the catalogue was written"));
        search::follow(index.clone(), hub.clone(), store, clock, &Tasks::default());
        index.reached(hub.position()).await;
    });
    let (hotels, room_types) = index.size();
    let (took, memory) = (started.elapsed(), resident().saturating_sub(before));
    println!("index of {hotels} hotels, {room_types} room types: built in {took:.1?}, {memory} MB resident");
    // The task that follows commits must run during the search.
    std::mem::forget(hub);
    index
}

/// Checks that both ways give the same page for every kind of stay.
fn compare(runtime: &Runtime, index: &Index, baseline: &Baseline) {
    let mut offers = 0;
    for stay in stays().take(64) {
        let page = index.search(&in_city(stay), now());
        let found: Vec<_> = page.offers.iter().map(|offer| (offer.hotel.id, offer.total)).collect();
        assert_eq!(runtime.block_on(baseline.search(stay)), found, "{stay:?}");
        offers += found.len();
    }
    assert!(offers > 64, "the city has too few free rooms: {offers} offers for 64 stays");
}

fn benches(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("search.db").display());
    runtime.block_on(catalogue::write(&url));
    let index = build(&runtime, &url);
    let baseline = runtime.block_on(Baseline::open(&url));
    compare(&runtime, &index, &baseline);

    let mut group = c.benchmark_group("search");
    let mut stay = stays();
    let mut next = move || stay.next().expect("stays do not end");
    group.bench_function("city_index", |b| b.iter(|| index.search(&in_city(next()), now())));
    group.bench_function("city_sql", |b| b.to_async(&runtime).iter(|| baseline.search(next())));
    group.bench_function("city_index_tenth_page", |b| {
        let stay = next();
        let first = (0..9).fold(None, |after, _| {
            index.search(&wanted(SearchArea::City(CITY.into()), stay, Sort::Price, after), now()).next
        });
        b.iter(|| index.search(&wanted(SearchArea::City(CITY.into()), stay, Sort::Price, black_box(first)), now()));
    });
    let centre = Coordinates { latitude: catalogue::LATITUDE, longitude: catalogue::LONGITUDE };
    for (name, sort) in [("around_by_price", Sort::Price), ("around_by_distance", Sort::Distance)] {
        let place = || SearchArea::Around(centre, 10_000.0);
        group.bench_function(name, |b| b.iter(|| index.search(&wanted(place(), next(), sort, None), now())));
    }
    let offers = stays().map(|stay| index.search(&in_city(stay), now()).offers).find(|offers| !offers.is_empty());
    let hotel = offers.and_then(|offers| Some(offers.first()?.hotel.id)).expect("a hotel has an offer");
    let visit = Visit { nights: 3, party: PARTY, rooms: 1 };
    let (from, to) = (TODAY, TODAY.saturating_add(31.days()));
    group.bench_function("calendar_of_a_month", |b| {
        b.iter(|| index.calendar(hotel, from, to, visit, now()));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);

//! The cost of several nodes: three nodes and one node on the same machine, while guests book 64 room types all the time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;

use crate::Size;
use crate::contest::callers::{Callers, Latencies, no_latencies};
use crate::contest::web::Web;
use crate::contest::{Seller, StayRequest};
use crate::cpu::Spent;
use crate::fleet::Fleet;

const ROOM_TYPES: usize = 64;
/// The variable with the number of guests. The default is 64.
const GUESTS: &str = "INNKEEPER_BENCH_GUESTS";

/// A contender that is measured in turns.
struct Contender<'f> {
    name: &'static str,
    fleet: &'f Fleet,
    seller: Arc<dyn Seller>,
    /// Bookings per second of each turn.
    rates: Vec<f64>,
    latencies: Latencies,
    bookings: u32,
    spent: Spent,
}

/// Guests who send to any node, as behind a balancer without knowledge of owners.
struct AnyNode(Vec<Web>);

#[async_trait]
impl Seller for AnyNode {
    async fn book(&self, stay_request: StayRequest) -> bool {
        self.0[fastrand::usize(..self.0.len())].book(stay_request).await
    }
}

/// Guests who send to the owner of the room type.
struct OwnerOnly {
    clients: Vec<Web>,
    owners: HashMap<RoomTypeId, usize>,
}

#[async_trait]
impl Seller for OwnerOnly {
    async fn book(&self, stay_request: StayRequest) -> bool {
        self.clients[self.owners[&stay_request.room_type]].book(stay_request).await
    }
}

pub async fn measure(size: Size) {
    let guests = std::env::var(GUESTS).map_or(64, |guests| guests.parse().unwrap());
    let (one, three) = (Fleet::start(1, ROOM_TYPES).await, Fleet::start(3, ROOM_TYPES).await);
    let owners = OwnerOnly { clients: three.clients(), owners: three.owners().await };
    let mut contenders = [
        Contender::new("one node", &one, Arc::new(AnyNode(one.clients()))),
        Contender::new("three nodes, any node", &three, Arc::new(AnyNode(three.clients()))),
        Contender::new("three nodes, the owner", &three, Arc::new(owners)),
    ];
    // The first turn of each contender is not counted: it opens connections and allocates memory.
    for turn in 0..=size.turns {
        for contender in &mut contenders {
            contender.book(guests, size.bookings, turn > 0).await;
        }
    }
    println!("\n{ROOM_TYPES} room types, {guests} connections, PostgreSQL, median of {} turns:", size.turns);
    println!("  {:<32} {:>11} {:>9} {:>9} {:>12}", "", "bookings/s", "p50 ms", "p99 ms", "÷ one node");
    let first = contenders[0].rate();
    for contender in &contenders {
        let ms = |percentile| contender.latencies.value_at_percentile(percentile) as f64 / 1_000.0;
        let (name, rate) = (contender.name, contender.rate());
        println!("  {name:<32} {rate:>11.0} {:>9.1} {:>9.1} {:>12.2}", ms(50.0), ms(99.0), rate / first);
    }
    println!("\nProcessor time of a booking, µs:");
    println!("  {:<32} {:>11} {:>11} {:>11} {:>11}", "", "nodes", "PostgreSQL", "Redis", "guests");
    for contender in &contenders {
        let Spent { nodes, postgres, redis, guests } = contender.spent;
        let [nodes, postgres, redis, guests] = [nodes, postgres, redis, guests].map(|time| contender.each(time));
        println!("  {:<32} {nodes:>11.0} {postgres:>11.0} {redis:>11.0} {guests:>11.0}", contender.name);
    }
}

impl<'f> Contender<'f> {
    fn new(name: &'static str, fleet: &'f Fleet, seller: Arc<dyn Seller>) -> Self {
        let (rates, latencies, spent) = (Vec::new(), no_latencies(), Spent::default());
        Self { name, fleet, seller, rates, latencies, bookings: 0, spent }
    }

    async fn book(&mut self, guests: usize, bookings: u32, counts: bool) {
        let callers = Callers::start(&self.seller, &self.fleet.setup, guests);
        let before = self.fleet.spent();
        let took = callers.watch(bookings).await;
        let spent = self.fleet.spent() - before;
        let latencies = callers.stop().await;
        if counts {
            self.rates.push(f64::from(bookings) / took.as_secs_f64());
            self.latencies += latencies;
            self.bookings += bookings;
            self.spent += spent;
        }
    }

    fn rate(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }

    /// The share of one booking in microseconds.
    fn each(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / f64::from(self.bookings)
    }
}

//! Whether nodes cost anything where they cannot bring anything: three of them on one machine against one, while guests
//! book 64 room types without end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;

use crate::Size;
use crate::contest::callers::{Crowd, Latencies, no_latencies};
use crate::contest::web::Web;
use crate::contest::{Desk, Wish};
use crate::cpu::Spent;
use crate::fleet::Fleet;

const ROOM_TYPES: usize = 64;
/// 64, unless this says another number.
const GUESTS: &str = "INNKEEPER_BENCH_GUESTS";

/// Somebody who is measured, turn by turn.
struct Contender<'f> {
    name: &'static str,
    fleet: &'f Fleet,
    desk: Arc<dyn Desk>,
    /// Bookings per second of each turn.
    rates: Vec<f64>,
    latencies: Latencies,
    bookings: u32,
    spent: Spent,
}

/// Guests who knock at any door, as a balancer sends them that knows nothing.
struct AnyDoor(Vec<Web>);

#[async_trait]
impl Desk for AnyDoor {
    async fn book(&self, wish: Wish) -> bool {
        self.0[fastrand::usize(..self.0.len())].book(wish).await
    }
}

/// Guests who happen to knock at the right one.
struct OwnersDoor {
    doors: Vec<Web>,
    owners: HashMap<RoomTypeId, usize>,
}

#[async_trait]
impl Desk for OwnersDoor {
    async fn book(&self, wish: Wish) -> bool {
        self.doors[self.owners[&wish.room_type]].book(wish).await
    }
}

pub async fn measure(size: Size) {
    let guests = std::env::var(GUESTS).map_or(64, |guests| guests.parse().unwrap());
    let (one, three) = (Fleet::start(1, ROOM_TYPES).await, Fleet::start(3, ROOM_TYPES).await);
    let owners = OwnersDoor { doors: three.doors(), owners: three.owners().await };
    let mut contenders = [
        Contender::new("one node", &one, Arc::new(AnyDoor(one.doors()))),
        Contender::new("three nodes, any door", &three, Arc::new(AnyDoor(three.doors()))),
        Contender::new("three nodes, the owner's door", &three, Arc::new(owners)),
    ];
    // Nobody's first turn counts: connections are opened, and memory.
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
    fn new(name: &'static str, fleet: &'f Fleet, desk: Arc<dyn Desk>) -> Self {
        let (rates, latencies, spent) = (Vec::new(), no_latencies(), Spent::default());
        Self { name, fleet, desk, rates, latencies, bookings: 0, spent }
    }

    async fn book(&mut self, guests: usize, bookings: u32, counts: bool) {
        let crowd = Crowd::gather(&self.desk, &self.fleet.house, guests);
        let before = self.fleet.spent();
        let took = crowd.watch(bookings).await;
        let spent = self.fleet.spent() - before;
        let latencies = crowd.dismiss().await;
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

    /// What a booking took of this, in microseconds.
    fn each(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / f64::from(self.bookings)
    }
}

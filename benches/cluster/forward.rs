//! The cost of a forwarded request: one client sends the same request to the owner and to another node, in turn.

use std::time::Instant;

use reqwest::Client;

use crate::Size;
use crate::contest::Seller;
use crate::contest::callers::{Latencies, no_latencies};
use crate::contest::setup::BenchSetup;
use crate::contest::web::Web;
use crate::fleet::Fleet;

/// A client of one node.
struct NodeClient {
    name: &'static str,
    url: String,
    client: Client,
    seller: Web,
    reads: Latencies,
    bookings: Latencies,
}

pub async fn measure(size: Size) {
    let fleet = Fleet::start(3, 1).await;
    let owner = fleet.owners().await[&fleet.setup.room_types[0]];
    let other = (owner + 1) % fleet.nodes.len();
    let week = fleet.week(fleet.setup.room_types[0]);
    let mut clients =
        [("owner", owner), ("another node", other)].map(|(name, node)| NodeClient::of(name, &fleet.nodes[node].url));
    for round in 0..2 * size.requests {
        // The order changes from request to request.
        let first = round % 2;
        for turn in [first, 1 - first] {
            let counts = round >= size.requests;
            clients[turn].read(&week, counts).await;
            clients[turn].book(&fleet.setup, counts).await;
        }
    }
    println!("\nOne client, three nodes, PostgreSQL, {} requests each:", size.requests);
    println!("  {:<32} {:>9} {:>9} {:>9} {:>9}", "", "read p50", "p99 ms", "book p50", "p99 ms");
    for NodeClient { name, reads, bookings, .. } in &clients {
        let [read, read_99, book, book_99] = [ms(reads, 50.0), ms(reads, 99.0), ms(bookings, 50.0), ms(bookings, 99.0)];
        println!("  {name:<32} {read:>9.2} {read_99:>9.2} {book:>9.2} {book_99:>9.2}");
    }
    let [owner, other] = &clients;
    let read = ms(&other.reads, 50.0) - ms(&owner.reads, 50.0);
    let book = ms(&other.bookings, 50.0) - ms(&owner.bookings, 50.0);
    println!("  a forward costs {read:.2} ms of a read, {book:.2} ms of a booking, at the median");
}

fn ms(latencies: &Latencies, percentile: f64) -> f64 {
    latencies.value_at_percentile(percentile) as f64 / 1_000.0
}

impl NodeClient {
    fn of(name: &'static str, url: &str) -> Self {
        let (url, client, seller) = (url.to_owned(), Client::new(), Web::at(url));
        Self { name, url, client, seller, reads: no_latencies(), bookings: no_latencies() }
    }

    async fn read(&mut self, path: &str, counts: bool) {
        let address = format!("{}{path}", self.url);
        let asked = Instant::now();
        let answer = self.client.get(address).send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap();
        if counts {
            self.reads.record(asked.elapsed().as_micros() as u64).unwrap();
        }
    }

    async fn book(&mut self, setup: &BenchSetup, counts: bool) {
        let stay_request = setup.stay_request();
        let asked = Instant::now();
        assert!(self.seller.book(stay_request).await, "a room is free");
        if counts {
            self.bookings.record(asked.elapsed().as_micros() as u64).unwrap();
        }
    }
}

//! Guests in two patterns: all at the same moment, or each again and again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Seller;
use super::setup::BenchSetup;

/// Latencies of bookings in microseconds.
pub type Latencies = Histogram<u64>;

pub fn no_latencies() -> Latencies {
    Histogram::new(3).unwrap()
}

/// Makes one booking, which must succeed. Returns its latency.
async fn book(seller: &dyn Seller, setup: &BenchSetup, came: Instant) -> u64 {
    assert!(seller.book(setup.stay_request()).await, "a room is free");
    came.elapsed().as_micros() as u64
}

/// `guests` send one booking each at the same moment. Returns the time until the last answer.
pub async fn rush(
    seller: &Arc<dyn Seller>,
    setup: &Arc<BenchSetup>,
    guests: usize,
    latencies: &mut Latencies,
) -> Duration {
    let came = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..guests {
        let (seller, setup) = (seller.clone(), setup.clone());
        tasks.spawn(async move { book(&*seller, &setup, came).await });
    }
    let all = tasks.join_all().await;
    let took = came.elapsed();
    all.into_iter().for_each(|latency| latencies.record(latency).unwrap());
    took
}

/// Callers that book again and again until they are stopped. Each waits for its answer before its next booking.
pub struct Callers {
    booked: Arc<Semaphore>,
    latencies: Arc<Mutex<Latencies>>,
    tasks: JoinSet<()>,
}

impl Callers {
    pub fn start(seller: &Arc<dyn Seller>, setup: &Arc<BenchSetup>, callers: usize) -> Self {
        let (booked, latencies) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(no_latencies())));
        let mut this = Self { booked, latencies, tasks: JoinSet::new() };
        for _ in 0..callers {
            let (seller, setup) = (seller.clone(), setup.clone());
            let (booked, latencies) = (this.booked.clone(), this.latencies.clone());
            this.tasks.spawn(async move {
                while !booked.is_closed() {
                    let latency = book(&*seller, &setup, Instant::now()).await;
                    latencies.lock().unwrap().record(latency).unwrap();
                    booked.add_permits(1);
                }
            });
        }
        this
    }

    /// Measures the time of the next `bookings`.
    pub async fn watch(&self, bookings: u32) -> Duration {
        self.booked.forget_permits(usize::MAX);
        let started = Instant::now();
        self.booked.acquire_many(bookings).await.unwrap().forget();
        started.elapsed()
    }

    /// Stops the callers after their last answers.
    pub async fn stop(self) -> Latencies {
        self.booked.close();
        self.tasks.join_all().await;
        let latencies = self.latencies.lock().unwrap();
        latencies.clone()
    }
}

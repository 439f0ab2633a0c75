//! Guests, in the two ways they come: in a rush, or one after the other for ever.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Desk;
use super::setup::BenchSetup;

/// How long bookings took, in microseconds.
pub type Latencies = Histogram<u64>;

pub fn no_latencies() -> Latencies {
    Histogram::new(3).unwrap()
}

/// One booking, which must succeed; how long it took.
async fn book(desk: &dyn Desk, house: &BenchSetup, came: Instant) -> u64 {
    assert!(desk.book(house.wish()).await, "there is a room for everybody");
    came.elapsed().as_micros() as u64
}

/// `guests` come at the same moment and book once each. How long until the last one has a room.
pub async fn rush(desk: &Arc<dyn Desk>, house: &Arc<BenchSetup>, guests: usize, latencies: &mut Latencies) -> Duration {
    let came = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..guests {
        let (desk, house) = (desk.clone(), house.clone());
        tasks.spawn(async move { book(&*desk, &house, came).await });
    }
    let all = tasks.join_all().await;
    let took = came.elapsed();
    all.into_iter().for_each(|latency| latencies.record(latency).unwrap());
    took
}

/// Callers each of whom books, waits for the answer, and books again, until the crowd is dismissed.
pub struct Crowd {
    booked: Arc<Semaphore>,
    latencies: Arc<Mutex<Latencies>>,
    callers: JoinSet<()>,
}

impl Crowd {
    pub fn gather(desk: &Arc<dyn Desk>, house: &Arc<BenchSetup>, callers: usize) -> Self {
        let (booked, latencies) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(no_latencies())));
        let mut crowd = Self { booked, latencies, callers: JoinSet::new() };
        for _ in 0..callers {
            let (desk, house) = (desk.clone(), house.clone());
            let (booked, latencies) = (crowd.booked.clone(), crowd.latencies.clone());
            crowd.callers.spawn(async move {
                while !booked.is_closed() {
                    let latency = book(&*desk, &house, Instant::now()).await;
                    latencies.lock().unwrap().record(latency).unwrap();
                    booked.add_permits(1);
                }
            });
        }
        crowd
    }

    /// How long the crowd takes for its next `bookings`.
    pub async fn watch(&self, bookings: u32) -> Duration {
        self.booked.forget_permits(usize::MAX);
        let started = Instant::now();
        self.booked.acquire_many(bookings).await.unwrap().forget();
        started.elapsed()
    }

    /// Waits until everybody has got an answer.
    pub async fn dismiss(self) -> Latencies {
        self.booked.close();
        self.callers.join_all().await;
        let latencies = self.latencies.lock().unwrap();
        latencies.clone()
    }
}

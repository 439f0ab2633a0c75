//! The bookings that an actor works on, as it decided them last. They may be newer than the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::message::Decide;
use crate::domain::{Booking, BookingId};

/// Bookings that the cache keeps before it drops durable ones. Bookings that are not durable stay beyond this number.
const KEPT: usize = 128;

/// The bookings of one room type that an actor remembers.
///
/// A booking that is not durable must stay, because the store still has its older state. A durable booking may be
/// dropped at any time, because the store has the same state.
///
/// While a booking is read from the store, requests for it wait in a queue. So no request is decided on a state that was
/// read before another request's decision.
pub(super) struct Cache {
    bookings: HashMap<BookingId, Arc<Booking>>,
    /// The number of bookings at which durable ones are dropped.
    limit: usize,
    /// Requests that wait for a booking to be read. A sorted map, so that their order is the same in every run.
    queues: BTreeMap<BookingId, Vec<Decide>>,
    waiting: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self { bookings: HashMap::new(), limit: KEPT, queues: BTreeMap::new(), waiting: 0 }
    }
}

impl Cache {
    pub fn get(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.bookings.get(&id)
    }

    /// Keeps a booking's newest state. Facts up to `durable` are in the store.
    pub fn keep(&mut self, booking: &Arc<Booking>, durable: u64) {
        if self.bookings.len() >= self.limit && !self.bookings.contains_key(&booking.id) {
            self.bookings.retain(|_, known| known.sequence > durable);
            // Twice the number that had to stay, so that this scan stays rare while few bookings are durable.
            self.limit = KEPT.max(2 * self.bookings.len());
        }
        self.bookings.insert(booking.id, booking.clone());
    }

    /// Queues a request until its booking has been read. Returns `true` for the first request in the queue: the caller
    /// must then read the booking.
    pub fn enqueue(&mut self, id: BookingId, request: Decide) -> bool {
        self.waiting += 1;
        let queue = self.queues.entry(id).or_default();
        queue.push(request);
        queue.len() == 1
    }

    /// Takes all requests that wait for a booking.
    pub fn take_queue(&mut self, id: BookingId) -> Vec<Decide> {
        let queue = self.queues.remove(&id).unwrap_or_default();
        self.waiting -= queue.len();
        queue
    }

    /// All requests that wait for any booking.
    pub fn into_waiting(self) -> impl Iterator<Item = Decide> {
        self.queues.into_values().flatten()
    }

    /// The number of requests that wait for a booking.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

//! The bookings an actor is working on: as they were decided, which may be newer than the store.

use std::collections::HashMap;
use std::sync::Arc;

use super::message::Ask;
use crate::domain::{Booking, BookingId};

/// Bookings kept beyond those that are not durable yet.
const KEPT: usize = 1_024;

/// What an actor knows of the bookings of its room type.
///
/// A booking that is not durable yet must stay: the store would tell an older story. One that is durable may go at any
/// time, because whoever asks next reads the same from the store. While it is being read, requests for it wait in line,
/// so nobody decides on what was read before somebody else's decision.
#[derive(Default)]
pub(super) struct Cache {
    bookings: HashMap<BookingId, Arc<Booking>>,
    lines: HashMap<BookingId, Vec<Ask>>,
    waiting: usize,
}

impl Cache {
    pub fn get(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.bookings.get(&id)
    }

    /// Keeps a booking's newest state. Facts up to `durable` are in the store.
    pub fn keep(&mut self, booking: &Arc<Booking>, durable: u64) {
        if self.bookings.len() >= KEPT && !self.bookings.contains_key(&booking.id) {
            self.bookings.retain(|_, known| known.sequence > durable);
        }
        self.bookings.insert(booking.id, booking.clone());
    }

    /// Puts a request in line for a booking that has to be read first. `true` if it is the first in line, and so
    /// somebody has to go and read.
    pub fn wait_for(&mut self, id: BookingId, ask: Ask) -> bool {
        self.waiting += 1;
        let line = self.lines.entry(id).or_default();
        line.push(ask);
        line.len() == 1
    }

    /// Everybody in line for a booking that has been read.
    pub fn arrived(&mut self, id: BookingId) -> Vec<Ask> {
        let line = self.lines.remove(&id).unwrap_or_default();
        self.waiting -= line.len();
        line
    }

    /// How many requests are in line.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

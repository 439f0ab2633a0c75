//! The bookings an actor is working on: as they were decided, which may be newer than the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::message::Ask;
use crate::domain::{Booking, BookingId};

/// Bookings kept, at least; those that are not durable yet are kept whatever their number.
const KEPT: usize = 128;

/// What an actor knows of the bookings of its room type.
///
/// A booking that is not durable yet must stay: the store would tell an older story. One that is durable may go at any
/// time, because whoever asks next reads the same from the store. While it is being read, requests for it wait in line,
/// so nobody decides on what was read before somebody else's decision.
pub(super) struct Cache {
    bookings: HashMap<BookingId, Arc<Booking>>,
    /// How many may be kept before the durable ones are let go.
    room: usize,
    /// In an order that does not depend on chance.
    lines: BTreeMap<BookingId, Vec<Ask>>,
    waiting: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self { bookings: HashMap::new(), room: KEPT, lines: BTreeMap::new(), waiting: 0 }
    }
}

impl Cache {
    pub fn get(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.bookings.get(&id)
    }

    /// Keeps a booking's newest state. Facts up to `durable` are in the store.
    pub fn keep(&mut self, booking: &Arc<Booking>, durable: u64) {
        if self.bookings.len() >= self.room && !self.bookings.contains_key(&booking.id) {
            self.bookings.retain(|_, known| known.sequence > durable);
            // Twice what had to stay, so that looking through them all stays rare while few are durable.
            self.room = KEPT.max(2 * self.bookings.len());
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

    /// Everybody in line, for whatever booking.
    pub fn into_lines(self) -> impl Iterator<Item = Ask> {
        self.lines.into_values().flatten()
    }

    /// How many requests are in line.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

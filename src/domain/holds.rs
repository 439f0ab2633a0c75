//! The live holds of one room type, found by booking and by the time they run out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Booking, BookingId, Timestamp};

/// Holds, the first to expire first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Holds {
    by_id: HashMap<BookingId, Arc<Booking>>,
    by_expiry: BTreeSet<(Timestamp, BookingId)>,
}

impl Holds {
    /// Takes note of a booking's new state: kept while it is a hold, forgotten otherwise.
    pub fn follow(&mut self, booking: &Arc<Booking>) {
        if let Some(expires_at) = self.by_id.remove(&booking.id).and_then(|old| old.status.expires_at()) {
            self.by_expiry.remove(&(expires_at, booking.id));
        }
        if let Some(expires_at) = booking.status.expires_at() {
            self.by_id.insert(booking.id, booking.clone());
            self.by_expiry.insert((expires_at, booking.id));
        }
    }

    pub fn get(&self, id: BookingId) -> Option<&Arc<Booking>> {
        self.by_id.get(&id)
    }

    /// The hold that expires first, with its time.
    pub fn first(&self) -> Option<(Timestamp, &Arc<Booking>)> {
        let (expires_at, id) = self.by_expiry.first()?;
        Some((*expires_at, self.by_id.get(id)?))
    }

    /// All holds, the first to expire first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Booking>> {
        self.by_expiry.iter().filter_map(|(_, id)| self.by_id.get(id))
    }
}

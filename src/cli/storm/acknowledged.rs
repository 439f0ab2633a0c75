//! The writes that the server has acknowledged, as the storm counts them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::api::Booking;
use super::targets::Targets;
use crate::domain::stay::dates;
use crate::domain::{Date, Status};

/// The largest number of bookings that are kept to be read back. All bookings count.
pub const KEPT: usize = 500_000;

/// The acknowledged writes of all guests.
pub struct Acknowledged(Mutex<Totals>);

/// The acknowledged writes so far.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    pub room_types: HashMap<Uuid, Writes>,
    pub bookings: HashMap<Uuid, Booking>,
    /// Bookings beyond [`KEPT`].
    pub not_kept: u64,
}

/// The acknowledged writes of one room type.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Writes {
    /// The number of acknowledged writes.
    pub count: u64,
    /// Rooms taken minus rooms given back, by night.
    pub taken: BTreeMap<Date, i64>,
}

impl Acknowledged {
    pub fn none_of(targets: &Targets) -> Self {
        let room_types = targets.0.iter().map(|target| (target.room_type, Writes::default())).collect();
        Self(Mutex::new(Totals { room_types, ..Totals::default() }))
    }

    /// Counts a new booking, or a change of a booking.
    pub fn count(&self, before: Option<&Booking>, now: &Booking) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        totals.count(before, now);
    }

    /// Takes the totals out; what follows counts from zero.
    pub fn take(&self) -> Totals {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Totals {
    fn count(&mut self, before: Option<&Booking>, now: &Booking) {
        let writes = self.room_types.entry(now.room_type_id).or_default();
        writes.count += 1;
        for (booking, sign) in [(before, -1), (Some(now), 1)] {
            let Some(booking) = booking.filter(|booking| takes_rooms(booking)) else { continue };
            for date in dates(booking.checkin_date, booking.checkout_date) {
                *writes.taken.entry(date).or_default() += sign * i64::from(booking.rooms);
            }
        }
        if self.bookings.len() < KEPT || self.bookings.contains_key(&now.id) {
            self.bookings.insert(now.id, now.clone());
        } else if before.is_none() {
            self.not_kept += 1;
        }
    }
}

/// Whether a booking takes rooms. Guests of a storm make no holds and do not check in.
fn takes_rooms(booking: &Booking) -> bool {
    booking.status == Status::name(Status::Confirmed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::booking;
    use super::*;

    #[test]
    fn rooms_taken_follow_every_change() {
        let mut totals = Totals::default();
        let taken =
            |totals: &Totals| -> Vec<i64> { totals.room_types[&Uuid::from_u128(7)].taken.values().copied().collect() };
        let (made, moved) = (booking(1, "confirmed", (1, 3)), booking(1, "confirmed", (2, 4)));
        totals.count(None, &made);
        assert_eq!(taken(&totals), [1, 1]);
        totals.count(Some(&made), &moved);
        assert_eq!(taken(&totals), [0, 1, 1]);
        totals.count(Some(&moved), &booking(1, "cancelled", (2, 4)));
        assert_eq!(taken(&totals), [0, 0, 0]);
        assert_eq!(totals.room_types[&Uuid::from_u128(7)].count, 3);
        assert_eq!(totals.bookings[&Uuid::from_u128(1)].status, "cancelled");
    }
}

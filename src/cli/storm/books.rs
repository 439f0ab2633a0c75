//! The storm's own account of what the server has acknowledged.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::api::Booking;
use super::site::Site;
use crate::domain::stay::dates;
use crate::domain::{Date, Status};

/// Bookings that are remembered one by one, at most; all of them count.
pub const REMEMBERED: usize = 500_000;

/// Shared by all guests.
pub struct Books(Mutex<Account>);

/// What has been acknowledged so far.
#[derive(Debug, Default, Clone)]
pub struct Account {
    pub room_types: HashMap<Uuid, Moves>,
    pub bookings: HashMap<Uuid, Booking>,
    /// Bookings that there was no place for.
    pub forgotten: u64,
}

/// What has been acknowledged of one room type.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Moves {
    /// How many writes were acknowledged.
    pub count: u64,
    /// Rooms taken, less rooms given back, by night.
    pub taken: BTreeMap<Date, i64>,
}

impl Books {
    pub fn over(site: &Site) -> Self {
        let room_types = site.targets.iter().map(|target| (target.room_type, Moves::default())).collect();
        Self(Mutex::new(Account { room_types, ..Account::default() }))
    }

    /// A booking came, or changed from what it was before.
    pub fn acknowledge(&self, before: Option<&Booking>, now: &Booking) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        account.acknowledge(before, now);
    }

    pub fn account(&self) -> Account {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account {
    fn acknowledge(&mut self, before: Option<&Booking>, now: &Booking) {
        let moves = self.room_types.entry(now.room_type_id).or_default();
        moves.count += 1;
        for (booking, sign) in [(before, -1), (Some(now), 1)] {
            let Some(booking) = booking.filter(|booking| takes_rooms(booking)) else { continue };
            for date in dates(booking.checkin_date, booking.checkout_date) {
                *moves.taken.entry(date).or_default() += sign * i64::from(booking.rooms);
            }
        }
        if self.bookings.len() < REMEMBERED || self.bookings.contains_key(&now.id) {
            self.bookings.insert(now.id, now.clone());
        } else if before.is_none() {
            self.forgotten += 1;
        }
    }
}

/// Whether a booking in this state occupies its nights; guests of a storm neither arrive nor hold.
fn takes_rooms(booking: &Booking) -> bool {
    booking.status == Status::name(Status::Confirmed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::booking;
    use super::*;

    #[test]
    fn what_is_taken_follows_every_change() {
        let mut account = Account::default();
        let taken = |account: &Account| -> Vec<i64> {
            account.room_types[&Uuid::from_u128(7)].taken.values().copied().collect()
        };
        let (made, moved) = (booking(1, "confirmed", (1, 3)), booking(1, "confirmed", (2, 4)));
        account.acknowledge(None, &made);
        assert_eq!(taken(&account), [1, 1]);
        account.acknowledge(Some(&made), &moved);
        assert_eq!(taken(&account), [0, 1, 1]);
        account.acknowledge(Some(&moved), &booking(1, "cancelled", (2, 4)));
        assert_eq!(taken(&account), [0, 0, 0]);
        assert_eq!(account.room_types[&Uuid::from_u128(7)].count, 3);
        assert_eq!(account.bookings[&Uuid::from_u128(1)].status, "cancelled");
    }
}

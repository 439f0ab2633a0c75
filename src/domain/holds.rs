//! The live holds of one room type, by booking id and by expiry.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Booking, BookingId, Timestamp};

/// The part of a night's rooms that holds may take together, from 1 to 100 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldShare(u8);

impl HoldShare {
    pub fn percent(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// The number of rooms that may be held out of `rooms`, rounded up, so that a single room can be held.
    pub fn of(self, rooms: u16) -> u16 {
        (u32::from(rooms) * u32::from(self.0)).div_ceil(100) as u16
    }
}

/// Holds in order of their expiry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Holds {
    by_id: HashMap<BookingId, Arc<Booking>>,
    by_expiry: BTreeSet<(Timestamp, BookingId)>,
}

impl Holds {
    /// Records a booking's new state: keeps it if it is a hold, removes it otherwise.
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

    /// All holds in order of their expiry.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Booking>> {
        self.by_expiry.iter().filter_map(|(_, id)| self.by_id.get(id))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(50, 10, 5)]
    #[case(50, 3, 2)]
    #[case(50, 1, 1)]
    #[case(1, 10_000, 100)]
    #[case(100, 65_535, 65_535)]
    #[case(50, 0, 0)]
    fn a_share_of_rooms_is_rounded_up(#[case] percent: u8, #[case] rooms: u16, #[case] held: u16) {
        assert_eq!(HoldShare::percent(percent).unwrap().of(rooms), held);
    }

    #[test]
    fn a_share_is_1_to_100_percent() {
        assert!(HoldShare::percent(0).is_none() && HoldShare::percent(101).is_none());
    }
}

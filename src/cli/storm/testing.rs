//! Nights and bookings, for tests.

use jiff::ToSpan;
use jiff::civil::date;
use uuid::Uuid;

use super::api::Booking;
use crate::client::{Availability, Night};

/// June 2026 with a capacity of two rooms, of which so many are sold on each night.
pub fn june(sequence: u64, sold: &[u16]) -> Availability {
    let night = |(index, sold): (usize, &u16)| Night {
        date: date(2026, 6, 1).saturating_add((index as i64).days()),
        physical: 3,
        out_of_order: 2,
        overbooking_allowance: 1,
        sold: *sold,
        held: 0,
        forced: 0,
        free: 2_u16.saturating_sub(*sold),
        closed: false,
        price_minor: None,
    };
    Availability { sequence, nights: sold.iter().enumerate().map(night).collect() }
}

/// A booking of one room in June 2026, from one day of the month to another.
pub fn booking(id: u128, status: &str, nights: (i8, i8)) -> Booking {
    Booking {
        id: Uuid::from_u128(id),
        status: status.to_owned(),
        manage_token: "token".to_owned(),
        room_type_id: Uuid::from_u128(7),
        checkin_date: date(2026, 6, nights.0),
        checkout_date: date(2026, 6, nights.1),
        rooms: 1,
    }
}

//! Nights and bookings, for tests.

use jiff::ToSpan;
use jiff::civil::date;
use uuid::Uuid;

use super::api::Booking;
use super::site::{Night, View};

/// June 2026, with so many rooms taken each night, out of two.
pub fn june(sequence: u64, taken: &[i64]) -> View {
    let night = |(index, sold): (usize, &i64)| Night {
        date: date(2026, 6, 1).saturating_add((index as i64).days()),
        physical: 3,
        out_of_order: 2,
        overbooking_allowance: 1,
        sold: *sold,
        held: 0,
        forced: 0,
        free: u16::try_from(2 - sold).unwrap_or(0),
        closed: false,
    };
    View { sequence, nights: taken.iter().enumerate().map(night).collect() }
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

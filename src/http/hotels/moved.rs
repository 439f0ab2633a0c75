//! What a new time zone moves: the times of bookings that are not over, and the hotel's own date.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Hotel, Timestamp};
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::http::value::Day;
use crate::store::{BookingFilter, Page};

/// Bookings of one status that are counted, at most.
const COUNTED: u32 = 1_000;
/// The states of a booking that is not over.
const LIVE: [&str; 3] = ["held", "confirmed", "in_house"];

/// What a new time zone moves. Cancellation deadlines of bookings stay as they were sold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moved {
    /// Held, confirmed and in house; at most 1000 of each are counted. Their check-in and check-out times move.
    live_bookings: usize,
    /// The hotel's current date.
    today_before: Day,
    today_after: Day,
    /// When today's check-in begins.
    check_in_before: Timestamp,
    check_in_after: Timestamp,
}

/// What becoming `after` moves; `None` where the time zone stays or no booking is live.
pub async fn by(state: &State, before: &Hotel, after: &Hotel) -> Result<Option<Moved>, Problem> {
    if before.timezone == after.timezone {
        return Ok(None);
    }
    let mut live_bookings = 0;
    for status in LIVE {
        let filter = BookingFilter { hotel: Some(before.id), status: Some(status), ..BookingFilter::default() };
        live_bookings += state.reports.bookings(&filter, Page { after: None, limit: COUNTED }).await?.len();
    }
    let now = state.clock.now();
    let (today_before, today_after) = (before.today(now), after.today(now));
    let moved = Moved {
        live_bookings,
        today_before: Day(today_before),
        today_after: Day(today_after),
        check_in_before: before.check_in_at(today_before),
        check_in_after: after.check_in_at(today_before),
    };
    Ok((live_bookings > 0).then_some(moved))
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live_bookings, today_before, today_after, check_in_before, check_in_after } = self;
        write!(
            f,
            "Live bookings: {live_bookings}. Their check-in and check-out times move (on {today_before}, check-in from \
             {check_in_before} to {check_in_after}); the hotel's date goes from {today_before} to {today_after}; \
             cancellation deadlines stay as they were sold."
        )
    }
}

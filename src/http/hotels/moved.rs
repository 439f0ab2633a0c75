//! What a new time zone moves: the times of live bookings, and the hotel's date.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Hotel, Timestamp};
use crate::http::problem::Problem;
use crate::http::value::Day;
use crate::store::Reports;

/// What a new time zone moves. The cancellation deadlines of bookings do not move.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moved {
    /// Held, confirmed and in-house bookings. Their check-in and check-out times move.
    live_bookings: u64,
    /// The hotel's current date before the change.
    today_before: Day,
    /// The hotel's current date after the change.
    today_after: Day,
    /// When today's check-in begins before the change.
    check_in_before: Timestamp,
    /// When today's check-in begins after the change.
    check_in_after: Timestamp,
}

/// What the change from `before` to `after` moves. `None` if the time zone is the same, or if no booking is live.
pub async fn by(
    reports: &dyn Reports,
    now: Timestamp,
    before: &Hotel,
    after: &Hotel,
) -> Result<Option<Moved>, Problem> {
    if before.timezone == after.timezone {
        return Ok(None);
    }
    let live_bookings = reports.live_bookings(before.id).await?;
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
            "Live bookings: {live_bookings}. Their check-in and check-out times move: on {today_before} the check-in \
             moves from {check_in_before} to {check_in_after}. The hotel's date changes from {today_before} to \
             {today_after}. Cancellation deadlines do not move."
        )
    }
}

//! Facts: what has happened to a room type, in the order in which it happened.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Booking, Date, FactId, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Timestamp};

/// Something that has been decided. Applied in memory at once, true for the world once it is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub id: FactId,
    /// Position in the history of its room type, counted from 1 without a gap.
    pub sequence: u64,
    pub at: Timestamp,
    pub change: Change,
}

/// What changed. Applying the same change to the same calendar gives the same calendar, always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// A booking came, moved or went.
    Booking { cause: Cause, booking: Arc<Booking>, deltas: Vec<NightDelta> },
    /// Capacity, restrictions or prices of nights were set.
    Nights {
        nights: Vec<(Date, Night)>,
        rates: Vec<(RatePlanId, Date, RateNight)>,
        /// Who insisted on a capacity below what was sold.
        forced_by: Option<String>,
    },
    /// The room type itself was changed.
    RoomType { room_type: RoomType },
    /// A rate plan was made or changed.
    RatePlan { plan: RatePlan },
}

impl Change {
    /// Every name of a cause.
    pub const CAUSES: [&'static str; 13] = [
        "held",
        "booked",
        "confirmed",
        "amended",
        "released",
        "cancelled",
        "checked_in",
        "checked_out",
        "no_show",
        "expired",
        "nights_set",
        "room_type_set",
        "rate_plan_set",
    ];

    /// Stable name of the cause, for events and metrics.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Booking { cause, .. } => cause.name(),
            Self::Nights { .. } => "nights_set",
            Self::RoomType { .. } => "room_type_set",
            Self::RatePlan { .. } => "rate_plan_set",
        }
    }

    pub fn booking(&self) -> Option<&Arc<Booking>> {
        match self {
            Self::Booking { booking, .. } => Some(booking),
            _ => None,
        }
    }
}

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Held,
    Booked,
    Confirmed,
    Amended,
    Released,
    Cancelled,
    CheckedIn,
    CheckedOut,
    NoShow,
    Expired,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Booked => "booked",
            Self::Confirmed => "confirmed",
            Self::Amended => "amended",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::CheckedIn => "checked_in",
            Self::CheckedOut => "checked_out",
            Self::NoShow => "no_show",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_of_a_booking_has_a_name_in_the_list() {
        for name in &Change::CAUSES[..10] {
            let cause: Cause = serde_json::from_value((*name).into()).unwrap();
            // A cause that is added has to be added here, and so to the list.
            let listed = match cause {
                Cause::Held | Cause::Booked | Cause::Confirmed | Cause::Amended | Cause::Released => cause.name(),
                Cause::Cancelled | Cause::CheckedIn | Cause::CheckedOut | Cause::NoShow | Cause::Expired => {
                    cause.name()
                }
            };
            assert_eq!(listed, *name);
        }
    }
}

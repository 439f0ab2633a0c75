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

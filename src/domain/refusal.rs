//! Refusals: why a command is not done. Each names the rule and, where nights are the reason, the nights.

use serde::Serialize;

use super::{Date, PlanOffer, RatePlanId, ServiceId, Timestamp};

/// Why a night refuses a stay. For arrivals and departures it is a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Fewer rooms are left than were asked for.
    SoldOut {
        free: u16,
        wanted: u16,
    },
    /// Stop sell, of the room type or of the rate plan.
    StopSell,
    /// The date is outside of the calendar.
    NoInventory,
    /// No rate plan sells this night.
    NoPrice,
    ClosedToArrival,
    ClosedToDeparture,
    /// The stay is shorter than this night allows.
    MinNights {
        min: u8,
    },
    /// The stay is longer than this night allows.
    MaxNights {
        max: u8,
    },
}

impl Reason {
    /// Whether the night has nothing for sale, rather than not for this length or arrival.
    pub fn is_unavailable(self) -> bool {
        matches!(self, Self::SoldOut { .. } | Self::StopSell | Self::NoInventory | Self::NoPrice)
    }
}

/// A night that refuses a stay, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FailingNight {
    pub date: Date,
    #[serde(flatten)]
    pub reason: Reason,
}

/// Why a command is refused. Nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The nights are sold out or closed.
    #[error("not available on {} of the nights", nights.len())]
    Unavailable {
        nights: Vec<FailingNight>,
        /// When the earliest hold on these nights expires.
        retry_at: Option<Timestamp>,
    },
    #[error("the hotel's restrictions forbid this stay")]
    Restricted { nights: Vec<FailingNight> },
    #[error("arrival must not be before {today}, the hotel's current date")]
    ArrivalInThePast { today: Date },
    #[error("departure must not be moved before {today}, the hotel's current date")]
    DepartureInThePast { today: Date },
    #[error("departure must not be after {last}, the end of the booking horizon")]
    BeyondHorizon { last: Date },
    #[error("a stay has at most {max} nights in this hotel")]
    TooManyNights { max: u16 },
    #[error("check-out {check_out} must be after check-in {check_in}, by at most {} nights", super::Stay::MAX_NIGHTS)]
    EmptyStay { check_in: Date, check_out: Date },
    #[error("the rooms do not take this many guests, or one of them would be without an adult")]
    Occupancy,
    #[error("must be the present number of guests, which is {present}, unless `guests` names all of them")]
    GuestsMatch { present: usize },
    #[error("several rate plans sell this stay: name one, or ask for the cheapest")]
    RatePlanRequired { plans: Vec<PlanOffer> },
    #[error("the total of a booking is at most {} minor units", super::Amount::MAX_TOTAL)]
    TotalTooLarge,
    #[error("this room type has no rate plan {0}")]
    UnknownRatePlan(RatePlanId),
    #[error("this hotel has no service {0}")]
    UnknownService(ServiceId),
    #[error("the availability is no longer what was seen at sequence {expected}; it is at sequence {actual}")]
    Stale { expected: u64, actual: u64 },
    #[error("a booking that is {from} cannot be {verb}")]
    IllegalMove { from: &'static str, verb: &'static str },
    #[error("the change gives back nights or rooms, which {}; ask the hotel to allow it", free(*until))]
    ChangeNotFree { until: Option<Timestamp> },
    #[error("at most {most} rooms can be held on {date} without payment; book the rooms, or wait until a hold expires")]
    TooManyHolds {
        date: Date,
        most: u16,
        /// When the earliest hold on these nights expires.
        retry_at: Option<Timestamp>,
    },
    #[error("the hold expired at {at}")]
    HoldExpired { at: Timestamp },
    #[error("this is possible from {from} on")]
    TooEarly { from: Date },
    #[error("this was possible until {until}")]
    TooLate { until: Date },
    #[error("capacity would fall below what is sold or held")]
    CapacityBelowSold { nights: Vec<FailingNight> },
    #[error("the dates must lie from {first} up to {end}, the booking horizon")]
    OutsideHorizon { first: Date, end: Date },
}

/// The end of free cancellation, in words.
fn free(until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("was free until {until}"),
        None => "is not free under the policy of this booking".to_owned(),
    }
}

impl Refusal {
    /// Stable name, for metrics and import reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unavailable { nights, .. }
                if nights.iter().any(|night| matches!(night.reason, Reason::SoldOut { .. })) =>
            {
                "sold_out"
            }
            Self::Unavailable { .. } => "closed",
            Self::Restricted { .. } => "restricted",
            Self::ArrivalInThePast { .. } => "arrival_in_the_past",
            Self::DepartureInThePast { .. } => "departure_in_the_past",
            Self::BeyondHorizon { .. } => "beyond_horizon",
            Self::TooManyNights { .. } => "too_many_nights",
            Self::EmptyStay { .. } => "empty_stay",
            Self::Occupancy => "occupancy",
            Self::GuestsMatch { .. } => "guests_match",
            Self::RatePlanRequired { .. } => "rate_plan_required",
            Self::TotalTooLarge => "total_too_large",
            Self::UnknownRatePlan(_) => "unknown_rate_plan",
            Self::UnknownService(_) => "unknown_service",
            Self::Stale { .. } => "stale",
            Self::IllegalMove { .. } => "illegal_move",
            Self::ChangeNotFree { .. } => "change_not_free",
            Self::TooManyHolds { .. } => "too_many_holds",
            Self::HoldExpired { .. } => "hold_expired",
            Self::TooEarly { .. } => "too_early",
            Self::TooLate { .. } => "too_late",
            Self::CapacityBelowSold { .. } => "capacity_below_sold",
            Self::OutsideHorizon { .. } => "outside_horizon",
        }
    }
}

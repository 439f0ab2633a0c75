//! A fact as it is told to those who follow a room type from outside: what it did, never whom it concerns.
//!
//! A fact itself and what the history keeps of it both give the same step, so a follower need not know which of the two
//! it hears of.

use super::{Change, Fact, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Runs};

/// One step in the history of a room type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// Where it stands in the history of its room type, counted from 1 without a gap.
    pub sequence: u64,
    /// Stable name of the cause.
    pub cause: &'a str,
    pub trace: Trace<'a>,
}

/// What a change leaves behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trace<'a> {
    /// A booking moved the counters of these nights.
    Counts(&'a [NightDelta]),
    /// Nights, and nights of rate plans, with their new values.
    Nights { nights: &'a Runs<Night>, rates: &'a Runs<(RatePlanId, RateNight)> },
    /// The room type as it is now.
    RoomType(&'a RoomType),
    /// A rate plan as it is now; its nights stay.
    RatePlan(&'a RatePlan),
}

impl Fact {
    pub fn step(&self) -> Step<'_> {
        Step { sequence: self.sequence, cause: self.change.cause(), trace: self.change.trace() }
    }
}

impl Change {
    pub fn trace(&self) -> Trace<'_> {
        match self {
            Self::Booking { deltas, .. } => Trace::Counts(deltas),
            Self::Nights { nights, rates, .. } => Trace::Nights { nights, rates },
            Self::RoomType { room_type } => Trace::RoomType(room_type),
            Self::RatePlan { plan } => Trace::RatePlan(plan),
        }
    }
}

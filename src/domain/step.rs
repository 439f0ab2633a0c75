//! Steps: what a fact did to a room type, without the booking and its guests.
//!
//! Followers of a room type, such as search and dashboards, keep a copy of its inventory and apply steps to it. A fact
//! and the event that the store keeps of it give the same step, so a follower handles both alike.
//!
//! # The protocol of a follower
//!
//! A follower may receive a step twice, or receive a later step before an earlier one. It compares the step's sequence
//! number with its own ([`Step::order_after`]) and then:
//!
//! - [`StepOrder::Known`]: it ignores the step.
//! - [`StepOrder::Next`]: it applies the step ([`super::Inventory::follow`]).
//! - [`StepOrder::Gap`]: it reads the room type from the store again.

use super::{Change, Fact, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Runs};

/// One step in the history of a room type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// Position in the history of its room type, counted from 1 without a gap.
    pub sequence: u64,
    /// Stable name of the cause.
    pub cause: &'a str,
    pub effect: StepEffect<'a>,
}

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepEffect<'a> {
    /// A booking moved the counters of these nights.
    Counts(&'a [NightDelta]),
    /// Nights, and nights of rate plans, with their new values.
    Nights { nights: &'a Runs<Night>, rates: &'a Runs<(RatePlanId, RateNight)> },
    /// The room type after the change.
    RoomType(&'a RoomType),
    /// A rate plan after the change. Its nights stay.
    RatePlan(&'a RatePlan),
}

/// The position of a step relative to the last step that a follower has applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOrder {
    /// The follower has applied this step already.
    Known,
    /// The step follows immediately.
    Next,
    /// At least one step before this one is missing.
    Gap,
}

impl Step<'_> {
    /// The order of this step for a follower whose last applied step has the sequence number `last`.
    pub fn order_after(&self, last: u64) -> StepOrder {
        match self.sequence.saturating_sub(last) {
            0 => StepOrder::Known,
            1 => StepOrder::Next,
            _ => StepOrder::Gap,
        }
    }
}

impl Fact {
    pub fn step(&self) -> Step<'_> {
        Step { sequence: self.sequence, cause: self.change.cause(), effect: self.change.step_effect() }
    }
}

impl Change {
    pub fn step_effect(&self) -> StepEffect<'_> {
        match self {
            Self::Booking { deltas, .. } => StepEffect::Counts(deltas),
            Self::Nights { nights, rates, .. } => StepEffect::Nights { nights, rates },
            Self::RoomType { room_type } => StepEffect::RoomType(room_type),
            Self::RatePlan { plan } => StepEffect::RatePlan(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn step(sequence: u64) -> Step<'static> {
        Step { sequence, cause: "booked", effect: StepEffect::Counts(&[]) }
    }

    #[rstest]
    #[case(0, 1, StepOrder::Next)]
    #[case(0, 2, StepOrder::Gap)]
    #[case(7, 1, StepOrder::Known)]
    #[case(7, 7, StepOrder::Known)]
    #[case(7, 8, StepOrder::Next)]
    #[case(7, 9, StepOrder::Gap)]
    #[case(u64::MAX, u64::MAX, StepOrder::Known)]
    fn a_step_is_known_next_or_after_a_gap(#[case] last: u64, #[case] sequence: u64, #[case] order: StepOrder) {
        assert_eq!(step(sequence).order_after(last), order);
    }

    proptest! {
        /// Steps arrive repeated and in any order. A follower that reads the store after a gap misses none.
        #[test]
        fn a_follower_of_the_protocol_applies_every_step_once(mut sequences in prop::collection::vec(1..20u64, 1..60)) {
            let (mut last, mut newest, mut applied) = (0, 0, 0);
            for sequence in sequences.drain(..) {
                newest = newest.max(sequence);
                match step(sequence).order_after(last) {
                    StepOrder::Known => prop_assert!(sequence <= last),
                    StepOrder::Next => (last, applied) = (sequence, applied + 1),
                    StepOrder::Gap => {
                        // The store has every step up to the newest.
                        applied += newest - last;
                        last = newest;
                    }
                }
            }
            prop_assert_eq!((last, applied), (newest, newest));
        }
    }
}

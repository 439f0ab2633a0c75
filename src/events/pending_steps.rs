//! Steps that a topic keeps while it has no projection to apply them to.

use std::collections::BTreeMap;

use crate::domain::{Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Runs, Step, StepEffect};

/// Steps that are kept, at most: the facts of one commit under default settings.
pub(super) const ROOM: usize = 256;

/// The last steps of one room type, at most [`ROOM`], by sequence number. The oldest are dropped first, because the store
/// has them first.
#[derive(Debug, Default)]
pub(super) struct PendingSteps(BTreeMap<u64, OwnedStep>);

/// The owned form of a [`Step`].
#[derive(Debug)]
struct OwnedStep {
    cause: String,
    effect: OwnedEffect,
}

/// The owned form of a [`StepEffect`].
#[derive(Debug)]
enum OwnedEffect {
    Counts(Vec<NightDelta>),
    Nights { nights: Runs<Night>, rates: Runs<(RatePlanId, RateNight)> },
    RoomType(Box<RoomType>),
    RatePlan(Box<RatePlan>),
}

impl PendingSteps {
    pub fn keep(&mut self, step: Step) {
        let owned = OwnedStep { cause: step.cause.to_owned(), effect: OwnedEffect::from(step.effect) };
        self.0.insert(step.sequence, owned);
        if self.0.len() > ROOM {
            self.0.pop_first();
        }
    }

    /// The steps in order of their sequence numbers.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.0.iter().map(|(sequence, step)| Step {
            sequence: *sequence,
            cause: &step.cause,
            effect: step.effect.borrowed(),
        })
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl From<StepEffect<'_>> for OwnedEffect {
    fn from(effect: StepEffect<'_>) -> Self {
        match effect {
            StepEffect::Counts(deltas) => Self::Counts(deltas.to_vec()),
            StepEffect::Nights { nights, rates } => Self::Nights { nights: nights.clone(), rates: rates.clone() },
            StepEffect::RoomType(room_type) => Self::RoomType(Box::new(room_type.clone())),
            StepEffect::RatePlan(plan) => Self::RatePlan(Box::new(plan.clone())),
        }
    }
}

impl OwnedEffect {
    fn borrowed(&self) -> StepEffect<'_> {
        match self {
            Self::Counts(deltas) => StepEffect::Counts(deltas),
            Self::Nights { nights, rates } => StepEffect::Nights { nights, rates },
            Self::RoomType(room_type) => StepEffect::RoomType(room_type),
            Self::RatePlan(plan) => StepEffect::RatePlan(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_steps_are_kept_in_order_and_once() {
        let mut pending = PendingSteps::default();
        let last = ROOM as u64 + 3;
        for sequence in (1..=last).chain([last - 1]) {
            pending.keep(Step { sequence, cause: "booked", effect: StepEffect::Counts(&[]) });
        }
        assert!(pending.steps().map(|step| step.sequence).eq(4..=last));
    }
}

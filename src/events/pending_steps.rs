//! Steps put aside while there is no projection that could follow them.

use std::collections::BTreeMap;

use crate::domain::{Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Runs, Step, Trace};

/// The most steps that are put pending: as many as one commit brings at most by default.
pub(super) const ROOM: usize = 256;

/// The last steps of one room type, at most [`ROOM`], by their sequence: the oldest are the first to be in the store.
#[derive(Debug, Default)]
pub(super) struct PendingSteps(BTreeMap<u64, Kept>);

/// A step that lasts.
#[derive(Debug)]
struct Kept {
    cause: String,
    mark: Mark,
}

/// A [`Trace`] that lasts.
#[derive(Debug)]
enum Mark {
    Counts(Vec<NightDelta>),
    Nights { nights: Runs<Night>, rates: Runs<(RatePlanId, RateNight)> },
    RoomType(Box<RoomType>),
    RatePlan(Box<RatePlan>),
}

impl PendingSteps {
    pub fn keep(&mut self, step: Step) {
        let mark = match step.trace {
            Trace::Counts(deltas) => Mark::Counts(deltas.to_vec()),
            Trace::Nights { nights, rates } => Mark::Nights { nights: nights.clone(), rates: rates.clone() },
            Trace::RoomType(room_type) => Mark::RoomType(Box::new(room_type.clone())),
            Trace::RatePlan(plan) => Mark::RatePlan(Box::new(plan.clone())),
        };
        self.0.insert(step.sequence, Kept { cause: step.cause.to_owned(), mark });
        if self.0.len() > ROOM {
            self.0.pop_first();
        }
    }

    /// In order of their sequence.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.0.iter().map(|(sequence, Kept { cause, mark })| Step { sequence: *sequence, cause, trace: mark.trace() })
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Mark {
    fn trace(&self) -> Trace<'_> {
        match self {
            Self::Counts(deltas) => Trace::Counts(deltas),
            Self::Nights { nights, rates } => Trace::Nights { nights, rates },
            Self::RoomType(room_type) => Trace::RoomType(room_type),
            Self::RatePlan(plan) => Trace::RatePlan(plan),
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
            pending.keep(Step { sequence, cause: "booked", trace: Trace::Counts(&[]) });
        }
        assert!(pending.steps().map(|step| step.sequence).eq(4..=last));
    }
}

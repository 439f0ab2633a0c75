//! Commands that change nothing. They leave no fact.

use std::sync::Arc;

use super::{Booking, Cause, Change, Fact, Inventory};

impl Inventory {
    /// If `fact` would change nothing, the present state in the form of a fact, under the present sequence number. It
    /// is an answer, not part of the history. `before` is the booking that the command changes.
    pub fn unchanged(&self, fact: &Fact, before: Option<&Arc<Booking>>) -> Option<Fact> {
        let change = match (&fact.change, before) {
            (Change::Booking { cause: Cause::Amended, booking, .. }, Some(before)) if is_same(booking, before) => {
                Change::Booking { cause: Cause::Amended, booking: before.clone(), deltas: Vec::new() }
            }
            (Change::Nights { nights, rates, .. }, _) if nights.is_empty() && rates.is_empty() => fact.change.clone(),
            (Change::RoomType { room_type }, _) if *room_type == self.room_type => fact.change.clone(),
            (Change::RatePlan { plan }, _)
                if self.plan(plan.id).is_some_and(|known| known.equals_except_nights(plan)) =>
            {
                fact.change.clone()
            }
            _ => return None,
        };
        Some(Fact { sequence: self.sequence(), change, ..fact.clone() })
    }
}

/// Whether two versions of a booking differ only in their version data.
fn is_same(after: &Booking, before: &Booking) -> bool {
    let (changed_at, sequence) = (before.changed_at, before.sequence);
    Booking { changed_at, sequence, ..after.clone() } == *before
}

//! Commands that change nothing. They leave no fact.

use super::{Amendment, Booking, Change, Fact, Inventory};

impl Inventory {
    /// If `fact` would change nothing, the present state in the form of a fact, under the present sequence number. It
    /// is an answer, not part of the history.
    pub fn unchanged(&self, fact: &Fact) -> Option<Fact> {
        let is_unchanged = match &fact.change {
            // A booking that changes gets the sequence number of the fact.
            Change::Booking { booking, .. } => booking.sequence != fact.sequence,
            Change::Nights { nights, rates, .. } => nights.is_empty() && rates.is_empty(),
            Change::RoomType { room_type } => *room_type == self.room_type,
            Change::RatePlan { plan } => self.plan(plan.id).is_some_and(|known| known.equals_except_nights(plan)),
        };
        is_unchanged.then(|| Fact { sequence: self.sequence(), ..fact.clone() })
    }
}

impl Booking {
    /// Whether an amendment repeats the present values. That is answered in every state.
    pub(super) fn equals_amendment(&self, amendment: &Amendment) -> bool {
        let Amendment { check_in, check_out, rooms, guests, num_guests, waive_policy: _, hold_share: _, forced_by: _ } =
            amendment;
        check_in.is_none_or(|check_in| check_in == self.stay.check_in())
            && check_out.is_none_or(|check_out| check_out == self.stay.check_out())
            && rooms.is_none_or(|rooms| rooms == self.rooms)
            && guests.as_ref().is_none_or(|guests| *guests == self.guests)
            && num_guests.is_none_or(|number| usize::try_from(number) == Ok(self.guests.len()))
    }
}

//! The life of a booking: every legal move between its states, and what each does.
//!
//! Called by [`Inventory::decide`] alone. A move that is not named here is refused.

use std::sync::Arc;

use super::booking::net_change;
use super::quote::{Enquiry, Quote};
use super::{
    Amendment, Amount, BookedService, Booking, Cause, Change, Fee, Inventory, Party, Refusal, Status, Stay, Timestamp,
};

/// What can be done with a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Turn a hold into a booking.
    Confirm,
    /// Give the rooms back: a hold is released, a booking cancelled by its policy.
    Cancel,
    /// Change dates, rooms or guests.
    Amend(Amendment),
    CheckIn,
    CheckOut,
    NoShow,
    /// End a hold whose time is over. Only the engine itself asks for this.
    Expire,
}

impl Move {
    const fn past_participle(&self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Cancel => "cancelled",
            Self::Amend(_) => "changed",
            Self::CheckIn => "checked in",
            Self::CheckOut => "checked out",
            Self::NoShow => "marked as a no-show",
            Self::Expire => "expired",
        }
    }
}

impl Inventory {
    /// What a move makes of a booking: its new state, and the rooms that it takes or gives back on each night.
    pub(super) fn move_booking(
        &self,
        booking: &Booking,
        act: &Move,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if let Some(expected) = expected
            && expected != booking.sequence
        {
            return Err(Refusal::Stale { expected, actual: booking.sequence });
        }
        let (cause, status) = self.transition(booking, act, now)?;
        let mut after = match act {
            Move::Amend(amendment) => self.amend(booking, amendment, now)?,
            _ => booking.clone(),
        };
        after.status = status;
        after.changed_at = now;
        after.sequence = self.sequence() + 1;
        let deltas = net_change(booking.footprint(), after.footprint());
        Ok(Change::Booking { cause, booking: Arc::new(after), deltas })
    }

    /// The state machine: every legal move, and the state it leads to.
    fn transition(&self, booking: &Booking, act: &Move, now: Timestamp) -> Result<(Cause, Status), Refusal> {
        let today = self.hotel.today(now);
        let stay = booking.stay;
        let is_over = now >= self.hotel.check_out_at(stay.check_out());
        Ok(match (act, booking.status) {
            (Move::Expire, Status::Held { expires_at }) if expires_at <= now => (Cause::Expired, Status::Expired),
            (Move::Confirm | Move::Amend(_), Status::Held { expires_at }) if expires_at <= now => {
                return Err(Refusal::HoldExpired { at: expires_at });
            }
            (Move::Confirm | Move::Amend(_), Status::Held { .. }) if is_over => {
                return Err(Refusal::TooLate { until: stay.check_out() });
            }
            // What was sold and never used is a no-show: the hotel's to say. Guests still in house are the hotel's too.
            (Move::Cancel | Move::CheckIn | Move::Amend(_), Status::Confirmed) if is_over => {
                return Err(Refusal::TooLate { until: stay.check_out() });
            }
            (Move::Amend(amendment), Status::InHouse) if is_over && !amendment.waive_policy => {
                return Err(Refusal::TooLate { until: stay.check_out() });
            }
            (Move::Confirm, Status::Expired) => return Err(Refusal::HoldExpired { at: booking.changed_at }),
            (Move::Confirm, Status::Held { .. }) => (Cause::Confirmed, Status::Confirmed),
            (Move::Cancel, Status::Held { .. }) => (Cause::Released, Status::Released),
            (Move::Cancel, Status::Confirmed) => {
                (Cause::Cancelled, Status::Cancelled { fee_minor: self.cancellation_fee(booking, now) })
            }
            (Move::Amend(_), status @ (Status::Held { .. } | Status::Confirmed | Status::InHouse)) => {
                (Cause::Amended, status)
            }
            (Move::CheckIn | Move::NoShow, Status::Confirmed) if today < stay.check_in() => {
                return Err(Refusal::TooEarly { from: stay.check_in() });
            }
            (Move::CheckIn, Status::Confirmed) => (Cause::CheckedIn, Status::InHouse),
            (Move::CheckOut, Status::InHouse) => {
                (Cause::CheckedOut, Status::CheckedOut { departed: stay.until(today).check_out() })
            }
            (Move::NoShow, Status::Confirmed) => {
                (Cause::NoShow, Status::NoShow { fee_minor: fee(booking.policy.no_show, booking) })
            }
            (act, status) => {
                return Err(Refusal::IllegalMove { from: status.name(), verb: act.past_participle() });
            }
        })
    }

    fn amend(&self, booking: &Booking, amendment: &Amendment, now: Timestamp) -> Result<Booking, Refusal> {
        let check_in = amendment.check_in.unwrap_or(booking.stay.check_in());
        let check_out = amendment.check_out.unwrap_or(booking.stay.check_out());
        let stay = Stay::new(check_in, check_out).map_err(|_| Refusal::EmptyStay { check_in, check_out })?;
        let rooms = amendment.rooms.unwrap_or(booking.rooms);
        self.keeps_what_was_slept(booking, stay, rooms, now)?;
        let guests = amendment.guests.clone().unwrap_or_else(|| booking.guests.clone());
        let party = Party::of(&guests);
        let rate_plan = Some(booking.rate_plan_id);
        let forced = amendment.forced_by.is_some();
        let enquiry = Enquiry { stay, rooms, party, rate_plan, forced, keeping: Some(booking) };
        let Quote { prices, added, .. } = self.quote(&enquiry, now)?;
        if let (Status::Held { .. }, Some(share)) = (booking.status, amendment.hold_share) {
            self.leaves_rooms_unheld(stay, rooms, Some(booking), share)?;
        }
        let resell = |service: &BookedService| service.clone().for_stay(stay.nights(), party.persons());
        let services = booking.services.iter().map(resell).collect();
        let policy = match check_in == booking.stay.check_in() {
            true => booking.policy.clone(),
            false => booking.policy.arriving(self.hotel.check_in_at(check_in)),
        };
        let after = Booking { stay, rooms, guests, prices, added, services, policy, ..booking.clone() }.sellable()?;
        match amendment.waive_policy {
            true => Ok(after),
            false => self.gives_back_for_free(booking, &after, now).map(|()| after),
        }
    }

    /// Giving back a part is leaving in part: where leaving costs a fee, a smaller booking must not be the way around
    /// it. A hold may always shrink.
    fn gives_back_for_free(&self, before: &Booking, after: &Booking, now: Timestamp) -> Result<(), Refusal> {
        let check_in = self.hotel.check_in_at(before.stay.check_in());
        let held = matches!(before.status, Status::Held { .. });
        if held || before.policy.fee_at(now, check_in).is_free() || !before.gives_back(after) {
            return Ok(());
        }
        Err(Refusal::ChangeNotFree { until: before.policy.was_free_until(now, check_in) })
    }

    /// Present guests have arrived, and from the second day on they have slept in their rooms: that is history.
    fn keeps_what_was_slept(&self, booking: &Booking, stay: Stay, rooms: u16, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |verb| Err(Refusal::IllegalMove { from: booking.status.name(), verb });
        if booking.status != Status::InHouse {
            return Ok(());
        }
        if stay.check_in() != booking.stay.check_in() {
            return refuse("given another arrival");
        }
        if rooms != booking.rooms && stay.check_in() < self.hotel.today(now) {
            return refuse("given another number of rooms after the first night");
        }
        Ok(())
    }

    /// What cancelling a confirmed booking costs at `now`, by the policy it was sold under.
    pub fn cancellation_fee(&self, booking: &Booking, now: Timestamp) -> Amount {
        let check_in = self.hotel.check_in_at(booking.stay.check_in());
        fee(booking.policy.fee_at(now, check_in), booking)
    }
}

fn fee(fee: Fee, booking: &Booking) -> Amount {
    fee.of(booking.nightly_totals(), booking.total())
}

#[cfg(test)]
mod tests;

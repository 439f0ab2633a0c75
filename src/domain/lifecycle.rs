//! The lifecycle of a booking: every legal move between states, and its effect.
//!
//! Only [`Inventory::decide`] calls this. Every move that is not listed here is refused.

use std::sync::Arc;

use super::booking::net_change;
use super::quote::{Enquiry, Quote};
use super::{
    Amendment, Amount, BookedService, Booking, Cause, Change, Fee, Inventory, Party, Refusal, Status, Stay, Timestamp,
};

/// A command for a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Turn a hold into a confirmed booking.
    Confirm,
    /// Give the rooms back. A hold is released; a booking is cancelled under its policy.
    Cancel,
    /// Change dates, rooms or guests.
    Amend(Amendment),
    CheckIn,
    CheckOut,
    NoShow,
    /// Expire an overdue hold. Only the engine does this.
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
    /// The result of a move: the new state of the booking and the change of each night.
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
        if let Move::Amend(amendment) = act
            && booking.equals_amendment(amendment)
        {
            let (booking, deltas) = (Arc::new(booking.clone()), Vec::new());
            return Ok(Change::Booking { cause: Cause::Amended, booking, deltas });
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

    /// The state machine: every legal move with the state that it leads to.
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
            // From the day after the arrival date, the hotel records a no-show or checks the guests in first.
            (Move::Cancel, Status::Confirmed) if stay.check_in() < today => {
                return Err(Refusal::TooLate { until: stay.check_in() });
            }
            // After the check-out time, an unused booking can only become a no-show, which the hotel decides. Guests in
            // house are left to the hotel as well.
            (Move::CheckIn | Move::Amend(_), Status::Confirmed) if is_over => {
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
                let kept_until = Some(stay.until(today).check_out());
                (Cause::NoShow, Status::NoShow { fee_minor: fee(booking.policy.no_show, booking), kept_until })
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
        self.check_past_nights(booking, stay, rooms, now)?;
        check_number_of_guests(booking, amendment)?;
        let guests = amendment.guests.clone().unwrap_or_else(|| booking.guests.clone());
        let party = Party::of(&guests);
        let rate_plan = Some(booking.rate_plan_id);
        let forced = amendment.forced_by.is_some();
        let enquiry = Enquiry { stay, rooms, party, rate_plan, forced, keeping: Some(booking) };
        let Quote { prices, added, .. } = self.quote(&enquiry, now)?;
        if let (Status::Held { .. }, Some(share)) = (booking.status, amendment.hold_share) {
            self.check_hold_share(stay, rooms, Some(booking), share)?;
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
            false => self.check_change_is_free(booking, &after, now).map(|()| after),
        }
    }

    /// Giving back nights or rooms is a partial cancellation. While a cancellation costs a fee, a smaller booking must
    /// not avoid it. A hold may always shrink.
    fn check_change_is_free(&self, before: &Booking, after: &Booking, now: Timestamp) -> Result<(), Refusal> {
        let check_in = self.hotel.check_in_at(before.stay.check_in());
        let held = matches!(before.status, Status::Held { .. });
        if held || before.policy.fee_at(now, check_in).is_free() || !before.gives_back(after) {
            return Ok(());
        }
        Err(Refusal::ChangeNotFree { until: before.policy.was_free_until(now, check_in) })
    }

    /// Guests in house cannot change their arrival date. After the first night no booking can change its arrival date or
    /// its number of rooms: its rooms were kept for that night.
    fn check_past_nights(&self, booking: &Booking, stay: Stay, rooms: u16, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |verb| Err(Refusal::IllegalMove { from: booking.status.name(), verb });
        let has_begun = booking.stay.check_in() < self.hotel.today(now);
        let (keeps_arrival, keeps_rooms) = match booking.status {
            Status::Confirmed => (has_begun, has_begun),
            Status::InHouse => (true, has_begun),
            _ => (false, false),
        };
        if keeps_arrival && stay.check_in() != booking.stay.check_in() {
            return refuse(if has_begun {
                "given another arrival after the first night"
            } else {
                "given another arrival"
            });
        }
        if keeps_rooms && rooms != booking.rooms {
            return refuse("given another number of rooms after the first night");
        }
        Ok(())
    }

    /// The fee for cancelling a confirmed booking at `now`, under its own policy.
    pub fn cancellation_fee(&self, booking: &Booking, now: Timestamp) -> Amount {
        let check_in = self.hotel.check_in_at(booking.stay.check_in());
        fee(booking.policy.fee_at(now, check_in), booking)
    }
}

/// A number of guests without the guests themselves may only repeat the present number.
fn check_number_of_guests(booking: &Booking, amendment: &Amendment) -> Result<(), Refusal> {
    let present = booking.guests.len();
    match amendment.num_guests {
        Some(number) if usize::try_from(number) != Ok(present) => Err(Refusal::GuestsMatch { present }),
        _ => Ok(()),
    }
}

fn fee(fee: Fee, booking: &Booking) -> Amount {
    fee.of(booking.nightly_totals(), booking.total())
}

#[cfg(test)]
mod amendment_tests;
#[cfg(test)]
mod tests;

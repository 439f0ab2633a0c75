//! Changes of what there is to sell: nights, and the room type itself.
//!
//! Called by [`Inventory::decide`] alone. Capacity never falls below what is sold and held: such a change is refused
//! or, where somebody insists by name, widens the night's allowance for the guests it already has.

use super::{
    Calendar, Change, Date, FailingNight, Inventory, Night, NightsChange, RateNight, RatePlanId, Reason, Refusal,
    RoomType,
};

impl Inventory {
    pub(super) fn set_nights(&self, change: &NightsChange) -> Result<Change, Refusal> {
        let (first, end) = (self.calendar.first(), self.calendar.end());
        if change.from < first || change.to > end {
            return Err(Refusal::OutsideHorizon { first, end });
        }
        let mut nights = Vec::new();
        let mut below = Vec::new();
        let mut forced = change.forced_by.is_some();
        for date in change.dates() {
            let Some(old) = self.calendar.night(date) else { continue };
            let mut new = change.over_night(*old);
            if let Some(missing) = overfull(&self.calendar, &new) {
                below.push(too_small(date, missing, &new));
                let allowance = allowance_for_guests(&self.calendar, &new);
                forced &= allowance.is_some();
                new.allowance = allowance;
            }
            if new != *old {
                nights.push((date, new));
            }
        }
        if !below.is_empty() && !forced {
            return Err(Refusal::CapacityBelowSold { nights: below });
        }
        let rates = self.changed_rates(change)?;
        let forced_by = change.forced_by.clone().filter(|_| !below.is_empty());
        Ok(Change::Nights { nights, rates, forced_by })
    }

    /// The nights of the plan that the change makes different.
    fn changed_rates(&self, change: &NightsChange) -> Result<Vec<(RatePlanId, Date, RateNight)>, Refusal> {
        let Some(id) = change.rate_plan else { return Ok(Vec::new()) };
        let plan = self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?;
        let changed = |date: Date| {
            let old = plan.night(date);
            let new = change.over_rate(old);
            (new != old).then_some((id, date, new))
        };
        Ok(change.dates().filter_map(changed).collect())
    }

    pub(super) fn set_room_type(&self, room_type: RoomType) -> Result<Change, Refusal> {
        let mut calendar = self.calendar.clone();
        calendar.set_defaults(room_type.rooms, room_type.overbooking_allowance);
        let too_full = |(date, night): (Date, &Night)| {
            let missing = overfull(&calendar, night)?;
            Some(too_small(date, missing, night))
        };
        let nights: Vec<_> = calendar.iter().filter_map(too_full).collect();
        if !nights.is_empty() {
            return Err(Refusal::CapacityBelowSold { nights });
        }
        let room_type = RoomType { id: self.room_type.id, hotel_id: self.room_type.hotel_id, ..room_type };
        Ok(Change::RoomType { room_type })
    }
}

/// How many rooms a night lacks for those who have booked it.
fn overfull(calendar: &Calendar, night: &Night) -> Option<u16> {
    let missing = night.taken().saturating_sub(calendar.capacity(night));
    (missing > 0).then_some(missing)
}

/// The allowance that just covers those who have booked the night, if there can be one so large.
fn allowance_for_guests(calendar: &Calendar, night: &Night) -> Option<i16> {
    let usable = i32::from(calendar.physical(night)) - i32::from(night.out_of_order);
    i16::try_from(i32::from(night.taken()) - usable).ok()
}

fn too_small(date: Date, missing: u16, night: &Night) -> FailingNight {
    let wanted = night.taken();
    FailingNight { date, reason: Reason::SoldOut { free: wanted - missing, wanted } }
}

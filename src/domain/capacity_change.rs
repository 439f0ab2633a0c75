//! Changes of what there is to sell: nights, and the room type itself.
//!
//! Called by [`Inventory::decide`] alone. Capacity never falls below what is sold and held: such a change is refused
//! or, where somebody insists by name, widens the night's allowance for the guests it already has.

use super::{Calendar, Change, Date, FailingNight, Inventory, Night, NightsChange, Reason, Refusal, RoomType};

impl Inventory {
    pub(super) fn set_nights(&self, change: &NightsChange) -> Result<Change, Refusal> {
        let (first, end) = (self.calendar.first(), self.calendar.end());
        if change.from < first || change.to > end {
            return Err(Refusal::OutsideHorizon { first, end });
        }
        let mut nights = Vec::new();
        let mut below = Vec::new();
        for date in change.dates() {
            let Some(old) = self.calendar.night(date) else { continue };
            let mut new = change.over_night(*old);
            if let Some(missing) = overfull(&self.calendar, &new) {
                below.push(too_small(date, missing, &new));
                new.allowance = Some(allowance_for_guests(&self.calendar, &new));
            }
            if new != *old {
                nights.push((date, new));
            }
        }
        if !below.is_empty() && change.forced_by.is_none() {
            return Err(Refusal::CapacityBelowSold { nights: below });
        }
        let mut rates = Vec::new();
        if let Some(id) = change.rate_plan {
            let plan = self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?;
            let changed = |date: &Date| change.over_rate(plan.night(*date)) != plan.night(*date);
            rates.extend(change.dates().filter(changed).map(|date| (id, date, change.over_rate(plan.night(date)))));
        }
        let forced_by = change.forced_by.clone().filter(|_| !below.is_empty());
        Ok(Change::Nights { nights, rates, forced_by })
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
        Ok(Change::RoomType { room_type })
    }
}

/// How many rooms a night lacks for those who have booked it.
fn overfull(calendar: &Calendar, night: &Night) -> Option<u16> {
    let missing = (night.sold + night.held).saturating_sub(calendar.capacity(night));
    (missing > 0).then_some(missing)
}

/// The allowance that just covers those who have booked the night.
fn allowance_for_guests(calendar: &Calendar, night: &Night) -> i16 {
    let usable = i32::from(calendar.physical(night)) - i32::from(night.out_of_order);
    let booked = i32::from(night.sold) + i32::from(night.held);
    i16::try_from(booked - usable).unwrap_or(i16::MAX)
}

fn too_small(date: Date, missing: u16, night: &Night) -> FailingNight {
    let wanted = night.sold + night.held;
    FailingNight { date, reason: Reason::SoldOut { free: wanted - missing, wanted } }
}

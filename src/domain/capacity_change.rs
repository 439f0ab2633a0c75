//! Changes of capacity, restrictions and prices: of nights, and of the room type itself.
//!
//! Only [`Inventory::decide`] calls this. A change that puts the capacity below the rooms sold and held is refused.
//! With `forced_by` it makes a forced exception instead ([`Night::forced`]) for the guests that the night already has.

use super::{
    Change, Date, FailingNight, Inventory, Night, NightsChange, RateNight, RatePlanId, Reason, Refusal, RoomType, Runs,
};

impl Inventory {
    pub(super) fn set_nights(&self, change: &NightsChange) -> Result<Change, Refusal> {
        let first = self.calendar.first();
        let end = self.hotel.horizon_end(first);
        if change.from < first || change.to > end {
            return Err(Refusal::OutsideHorizon { first, end });
        }
        let mut nights = Vec::new();
        let mut below = Vec::new();
        for date in change.dates() {
            let Some(old) = self.calendar.night(date) else { continue };
            let mut new = change.over_night(*old);
            new.forced = self.calendar.excess(&new);
            if new.forced > old.forced {
                below.push(too_small(date, new.forced, &new));
            }
            if new != *old {
                nights.push((date, Night { sold: 0, held: 0, ..new }));
            }
        }
        if !below.is_empty() && change.forced_by.is_none() {
            return Err(Refusal::CapacityBelowSold { nights: below });
        }
        let rates = self.changed_rates(change)?;
        let forced_by = change.forced_by.clone().filter(|_| !below.is_empty());
        Ok(Change::Nights { nights: nights.into_iter().collect(), rates, forced_by })
    }

    /// The nights of the plan that the change modifies.
    fn changed_rates(&self, change: &NightsChange) -> Result<Runs<(RatePlanId, RateNight)>, Refusal> {
        let Some(id) = change.rate_plan else { return Ok(Runs::default()) };
        let plan = self.plan(id).ok_or(Refusal::UnknownRatePlan(id))?;
        let changed = |date: Date| {
            let old = plan.night(date);
            let new = change.over_rate(old);
            (new != old).then_some((date, (id, new)))
        };
        Ok(change.dates().filter_map(changed).collect())
    }

    pub(super) fn set_room_type(&self, room_type: RoomType) -> Result<Change, Refusal> {
        let mut calendar = self.calendar.clone();
        calendar.set_defaults(room_type.rooms, room_type.overbooking_allowance);
        let too_full = |(date, night): (Date, &Night)| {
            let excess = calendar.excess(night);
            (excess > night.forced).then(|| too_small(date, excess, night))
        };
        let nights: Vec<_> = calendar.iter().filter_map(too_full).collect();
        if !nights.is_empty() {
            return Err(Refusal::CapacityBelowSold { nights });
        }
        let room_type = RoomType { id: self.room_type.id, hotel_id: self.room_type.hotel_id, ..room_type };
        Ok(Change::RoomType { room_type })
    }
}

fn too_small(date: Date, missing: u16, night: &Night) -> FailingNight {
    let wanted = night.taken();
    FailingNight { date, reason: Reason::SoldOut { free: wanted - missing, wanted } }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::nights_change::{Patch, RestrictionPatch};
    use super::super::testing::{PRICE, book, day, fact_id, inventory, nights_change, noon, order, plan, run, stay};
    use super::super::{Amount, Command, Fact, Move, Order, RatePlanId, RoomTypeId};
    use super::*;

    /// Three rooms. On the night after today two are sold and one is held.
    fn full_house() -> Inventory {
        let mut house = inventory(3);
        run(&mut house, book(1, order(stay(1, 1), 2), noon(0)), noon(0)).unwrap();
        run(&mut house, book(2, Order { hold: true, ..order(stay(1, 1), 1) }, noon(0)), noon(0)).unwrap();
        house
    }

    fn decide(house: &Inventory, change: NightsChange) -> Result<Fact, Refusal> {
        house.decide(Command::SetNights(change), fact_id(99), noon(0))
    }

    #[test]
    fn capacity_below_what_is_sold_and_held_is_refused() {
        let house = full_house();
        for change in [
            NightsChange { physical: Patch::Set(2), ..nights_change(0, 5) },
            NightsChange { out_of_order: Patch::Set(1), ..nights_change(0, 5) },
            NightsChange { allowance: Patch::Set(-1), ..nights_change(0, 5) },
        ] {
            let reason = Reason::SoldOut { free: 2, wanted: 3 };
            let nights = vec![FailingNight { date: day(1), reason }];
            assert_eq!(decide(&house, change), Err(Refusal::CapacityBelowSold { nights }));
        }
    }

    #[test]
    fn a_forced_change_makes_an_exception_for_the_guests_of_that_moment() {
        let mut house = full_house();
        let burst_pipe = NightsChange {
            out_of_order: Patch::Set(2),
            forced_by: Some("Rui, burst pipe".to_owned()),
            ..nights_change(0, 5)
        };
        let fact = run(&mut house, Command::SetNights(burst_pipe), noon(0)).unwrap();
        let Change::Nights { nights, forced_by, .. } = &fact.change else { panic!("{fact:?}") };
        assert_eq!((nights.len(), forced_by.as_deref()), (5, Some("Rui, burst pipe")));
        let night = *house.calendar.night(day(1)).unwrap();
        assert_eq!((night.allowance, night.forced, house.calendar.free(&night)), (None, 2, 0));
        assert_eq!(house.calendar.night(day(2)).unwrap().forced, 0);
        assert!(house.calendar.is_sound());
    }

    #[test]
    fn an_unneeded_force_is_not_recorded() {
        let change = NightsChange { physical: Patch::Set(9), forced_by: Some("Rui".to_owned()), ..nights_change(0, 5) };
        let fact = decide(&full_house(), change).unwrap();
        assert!(matches!(fact.change, Change::Nights { forced_by: None, .. }));
    }

    fn forced(house: &Inventory) -> (u16, u16) {
        let night = house.calendar.night(day(1)).unwrap();
        assert!(house.calendar.is_sound(), "{night:?}");
        (night.forced, house.calendar.free(night))
    }

    fn cancel(house: &mut Inventory, booking: &Fact) -> Result<Arc<Fact>, Refusal> {
        let booking = booking.change.booking().unwrap().clone();
        run(house, Command::Move { booking, act: Move::Cancel, expected: None }, noon(0))
    }

    #[test]
    fn a_forced_exception_ends_with_its_reason() {
        let mut house = inventory(3);
        for number in 1..4 {
            run(&mut house, book(number, order(stay(1, 1), 1), noon(0)), noon(0)).unwrap();
        }
        let closed = NightsChange { out_of_order: Patch::Set(2), ..nights_change(1, 1) };
        let insisting = NightsChange { forced_by: Some("Rui".to_owned()), ..closed.clone() };
        run(&mut house, Command::SetNights(insisting), noon(0)).unwrap();
        assert_eq!(forced(&house), (2, 0));
        let reopened = NightsChange { out_of_order: Patch::Reset, ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(reopened), noon(0)).unwrap();
        assert_eq!(forced(&house), (0, 0));
        let refused = run(&mut house, book(4, order(stay(1, 1), 1), noon(0)), noon(0));
        assert_eq!(refused.unwrap_err().name(), "sold_out");
        let refused = run(&mut house, Command::SetNights(closed), noon(0));
        assert_eq!(refused.unwrap_err().name(), "capacity_below_sold");
    }

    #[test]
    fn the_room_of_a_guest_who_leaves_a_forced_night_is_not_sold_again() {
        let mut house = inventory(3);
        let mut sold = Vec::new();
        for number in 1..4 {
            sold.push(run(&mut house, book(number, order(stay(1, 1), 1), noon(0)), noon(0)).unwrap());
        }
        let insisting =
            NightsChange { out_of_order: Patch::Set(2), forced_by: Some("Rui".to_owned()), ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(insisting), noon(0)).unwrap();
        // (guests gone, exception left, rooms for sale)
        for (gone, left, free) in [(1, 1, 0), (2, 0, 0), (3, 0, 1)] {
            cancel(&mut house, &sold[gone - 1]).unwrap();
            assert_eq!(forced(&house), (left, free));
            let again = house.decide(book(9, order(stay(1, 1), 1), noon(0)), fact_id(99), noon(0));
            assert_eq!(again.is_ok(), free > 0);
        }
    }

    #[test]
    fn a_larger_room_type_shrinks_the_exception_for_good() {
        let mut house = full_house();
        let insisting =
            NightsChange { out_of_order: Patch::Set(2), forced_by: Some("Rui".to_owned()), ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(insisting), noon(0)).unwrap();
        let larger = RoomType { rooms: 4, ..house.room_type.clone() };
        run(&mut house, Command::SetRoomType(larger), noon(0)).unwrap();
        assert_eq!(forced(&house), (1, 0));
        let as_before = RoomType { rooms: 3, ..house.room_type.clone() };
        let refused = run(&mut house, Command::SetRoomType(as_before), noon(0));
        assert_eq!(refused.unwrap_err().name(), "capacity_below_sold");
    }

    #[test]
    fn a_forced_night_keeps_its_exception_when_something_else_is_set() {
        let mut house = full_house();
        let insisting =
            NightsChange { out_of_order: Patch::Set(2), forced_by: Some("Rui".to_owned()), ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(insisting), noon(0)).unwrap();
        let restriction = RestrictionPatch { closed_to_arrival: Patch::Set(true), ..RestrictionPatch::default() };
        run(&mut house, Command::SetNights(NightsChange { restriction, ..nights_change(1, 1) }), noon(0)).unwrap();
        assert_eq!(forced(&house), (2, 0));
    }

    #[test]
    fn a_change_carries_only_the_nights_and_prices_that_differ() {
        let mut house = inventory(3);
        let rate_plan = Some(plan(1, PRICE).id);
        let dearer = NightsChange { rate_plan, price: Patch::Set(Amount(20_000)), ..nights_change(2, 1) };
        run(&mut house, Command::SetNights(dearer.clone()), noon(0)).unwrap();
        let weekly = NightsChange { physical: Patch::Set(3), to: day(7), ..dearer };
        let Change::Nights { nights, rates, .. } = decide(&house, weekly.clone()).unwrap().change else { panic!() };
        assert_eq!((nights.len(), rates.len()), (5, 4));
        run(&mut house, Command::SetNights(weekly.clone()), noon(0)).unwrap();
        let Change::Nights { nights, rates, .. } = decide(&house, weekly).unwrap().change else { panic!() };
        assert_eq!((nights.len(), rates.len()), (0, 0));
    }

    #[test]
    fn only_nights_of_the_horizon_and_plans_of_the_room_type_can_be_set() {
        let house = inventory(3);
        let outside = Err(Refusal::OutsideHorizon { first: day(0), end: day(730) });
        assert_eq!(decide(&house, nights_change(-1, 2)), outside);
        assert_eq!(decide(&house, nights_change(729, 2)), outside);
        assert!(decide(&house, nights_change(0, 730)).is_ok());
        let unknown = RatePlanId(uuid::Uuid::nil());
        let change = NightsChange { rate_plan: Some(unknown), ..nights_change(0, 1) };
        assert_eq!(decide(&house, change), Err(Refusal::UnknownRatePlan(unknown)));
    }

    #[test]
    fn a_room_type_keeps_enough_rooms_for_its_guests_and_its_own_name() {
        let mut house = full_house();
        let smaller = RoomType { rooms: 2, ..house.room_type.clone() };
        let refused = house.decide(Command::SetRoomType(smaller), fact_id(9), noon(0));
        assert_eq!(refused.unwrap_err().name(), "capacity_below_sold");
        let elsewhere = RoomType { rooms: 5, id: RoomTypeId(uuid::Uuid::nil()), ..house.room_type.clone() };
        run(&mut house, Command::SetRoomType(elsewhere), noon(0)).unwrap();
        let night = house.calendar.night(day(1)).unwrap();
        assert_eq!((house.room_type.id, house.calendar.free(night)), (inventory(1).room_type.id, 2));
    }

    #[test]
    fn a_forced_night_still_counts_when_the_room_type_shrinks() {
        let mut house = full_house();
        let force = NightsChange { physical: Patch::Set(1), forced_by: Some("Rui".to_owned()), ..nights_change(1, 1) };
        run(&mut house, Command::SetNights(force), noon(0)).unwrap();
        let smaller = RoomType { rooms: 1, ..house.room_type.clone() };
        run(&mut house, Command::SetRoomType(smaller), noon(0)).unwrap();
        assert!(house.calendar.is_sound());
    }

    #[test]
    fn a_rate_plan_is_replaced_but_its_nights_stay() {
        let mut house = inventory(3);
        let rate_plan = Some(plan(1, PRICE).id);
        let dearer = NightsChange { rate_plan, price: Patch::Set(Amount(20_000)), ..nights_change(2, 1) };
        run(&mut house, Command::SetNights(dearer), noon(0)).unwrap();
        run(&mut house, Command::SetRatePlan(plan(1, Amount(5_000))), noon(0)).unwrap();
        run(&mut house, Command::SetRatePlan(plan(2, Amount(7_000))), noon(0)).unwrap();
        let prices = house.plans.iter().map(|plan| [plan.price_on(day(1)), plan.price_on(day(2))]);
        let expected = [[5_000, 20_000], [7_000, 7_000]].map(|prices| prices.map(Amount));
        assert_eq!(prices.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn prices_of_past_dates_are_dropped() {
        let mut house = inventory(3);
        let rate_plan = Some(plan(1, PRICE).id);
        let dearer = NightsChange { rate_plan, price: Patch::Set(Amount(20_000)), ..nights_change(0, 5) };
        run(&mut house, Command::SetNights(dearer), noon(0)).unwrap();
        house.roll(noon(3));
        assert_eq!(house.plans[0].nights.iter().map(|(date, _)| date).collect::<Vec<_>>(), [day(3), day(4)]);
    }
}

//! Bulk changes of nights: new values for a range of dates, optionally on some weekdays only.

use jiff::civil::Weekday;

use super::calendar::MAX_ROOMS;
use super::stay::{dates, days_between};
use super::{Amount, Date, Night, RateNight, RatePlanId, Restriction, Violation};

/// A change of one value: keep it, reset it to its default, or set it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<T> {
    #[default]
    Keep,
    Reset,
    Set(T),
}

impl<T: Copy> Patch<T> {
    /// The value after the patch. `None` is the default.
    fn over(self, value: Option<T>) -> Option<T> {
        match self {
            Self::Keep => value,
            Self::Reset => None,
            Self::Set(new) => Some(new),
        }
    }
}

/// New values for some nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightsChange {
    /// First date.
    pub from: Date,
    /// The date after the last.
    pub to: Date,
    /// Only these weekdays. `None` means all. Never an empty list.
    pub weekdays: Option<Vec<Weekday>>,
    pub physical: Patch<u16>,
    pub out_of_order: Patch<u16>,
    pub allowance: Patch<i16>,
    /// With a rate plan, price and restrictions belong to the plan. Without one, restrictions belong to the room type.
    pub rate_plan: Option<RatePlanId>,
    pub price: Patch<Amount>,
    pub restriction: RestrictionPatch,
    /// The name given to force a capacity below the rooms sold. These nights get a forced exception for their guests.
    /// They sell nothing until enough guests are gone.
    pub forced_by: Option<String>,
}

/// New values for some restrictions of a night.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestrictionPatch {
    pub stop_sell: Patch<bool>,
    pub closed_to_arrival: Patch<bool>,
    pub closed_to_departure: Patch<bool>,
    pub min_nights_arrival: Patch<u8>,
    pub max_nights_arrival: Patch<u8>,
    pub min_nights_through: Patch<u8>,
    pub max_nights_through: Patch<u8>,
}

impl RestrictionPatch {
    pub fn over(self, old: Restriction) -> Restriction {
        fn value<T: Copy + Default>(patch: Patch<T>, old: T) -> T {
            patch.over(Some(old)).unwrap_or_default()
        }
        Restriction {
            stop_sell: value(self.stop_sell, old.stop_sell),
            closed_to_arrival: value(self.closed_to_arrival, old.closed_to_arrival),
            closed_to_departure: value(self.closed_to_departure, old.closed_to_departure),
            min_nights_arrival: value(self.min_nights_arrival, old.min_nights_arrival),
            max_nights_arrival: value(self.max_nights_arrival, old.max_nights_arrival),
            min_nights_through: value(self.min_nights_through, old.min_nights_through),
            max_nights_through: value(self.max_nights_through, old.max_nights_through),
        }
    }
}

impl NightsChange {
    /// The longest range one change can cover, in dates.
    pub const MAX_DATES: i32 = 3_660;

    /// A change of [from, to) without new values.
    pub fn untouched(from: Date, to: Date) -> Self {
        Self {
            from,
            to,
            weekdays: None,
            physical: Patch::Keep,
            out_of_order: Patch::Keep,
            allowance: Patch::Keep,
            rate_plan: None,
            price: Patch::Keep,
            restriction: RestrictionPatch::default(),
            forced_by: None,
        }
    }

    /// Checks the range and the limits.
    pub fn check(self) -> Result<Self, Violation> {
        if self.to <= self.from {
            return Err(Violation::new("/to", "to_after_from", "must be after from (it is exclusive)"));
        }
        if days_between(self.from, self.to) > Self::MAX_DATES {
            let message = format!("must be at most {} days after from", Self::MAX_DATES);
            return Err(Violation::new("/to", "range_length", message));
        }
        if self.weekdays.as_ref().is_some_and(Vec::is_empty) {
            let message = "must name at least one day; leave it out for all";
            return Err(Violation::new("/weekdays", "weekdays_range", message));
        }
        if self.price != Patch::Keep && self.rate_plan.is_none() {
            return Err(Violation::new("/rate_plan_id", "price_needs_plan", "must name the plan whose price changes"));
        }
        self.check_limits()?;
        Ok(self)
    }

    /// Checks the limits of the new values. Sums of a night then fit far inside their integers.
    fn check_limits(&self) -> Result<(), Violation> {
        for (rooms, pointer) in [(self.physical, "/physical"), (self.out_of_order, "/out_of_order")] {
            if matches!(rooms, Patch::Set(rooms) if rooms > MAX_ROOMS) {
                let message = format!("must be from 0 to {MAX_ROOMS}");
                return Err(Violation::new(pointer, "rooms_range", message));
            }
        }
        if matches!(self.allowance, Patch::Set(allowance) if allowance.unsigned_abs() > MAX_ROOMS) {
            let message = format!("must be from -{MAX_ROOMS} to {MAX_ROOMS}");
            return Err(Violation::new("/allowance", "rooms_range", message));
        }
        if matches!(self.price, Patch::Set(price) if price < Amount::ZERO || price > Amount::MAX_PRICE) {
            let message = format!("must be from 0 to {}", Amount::MAX_PRICE);
            return Err(Violation::new("/price_minor", "amount_range", message));
        }
        Ok(())
    }

    /// The affected dates, in order.
    pub fn dates(&self) -> impl Iterator<Item = Date> {
        let on_weekday = |date: &Date| self.weekdays.as_ref().is_none_or(|days| days.contains(&date.weekday()));
        dates(self.from, self.to).filter(on_weekday)
    }

    /// The night after the change. Its counters stay.
    pub fn over_night(&self, night: Night) -> Night {
        let restriction = match self.rate_plan {
            Some(_) => night.restriction,
            None => self.restriction.over(night.restriction),
        };
        Night {
            physical: self.physical.over(night.physical),
            out_of_order: self.out_of_order.over(Some(night.out_of_order)).unwrap_or_default(),
            allowance: self.allowance.over(night.allowance),
            restriction,
            ..night
        }
    }

    /// The plan's night after the change.
    pub fn over_rate(&self, rate: RateNight) -> RateNight {
        RateNight { price: self.price.over(rate.price), restriction: self.restriction.over(rate.restriction) }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn change() -> NightsChange {
        NightsChange::untouched(date(2026, 5, 1), date(2026, 5, 15))
    }

    #[test]
    fn weekdays_choose_dates() {
        let weekends = NightsChange { weekdays: Some(vec![Weekday::Friday, Weekday::Saturday]), ..change() };
        let days: Vec<_> = weekends.dates().map(|date| date.day()).collect();
        assert_eq!(days, [1, 2, 8, 9]);
        assert_eq!(change().dates().count(), 14);
    }

    #[test]
    fn a_range_ends_after_it_begins_and_has_a_longest_length() {
        assert_eq!(NightsChange { to: date(2026, 5, 1), ..change() }.check().unwrap_err().rule, "to_after_from");
        assert_eq!(NightsChange { to: date(2126, 5, 1), ..change() }.check().unwrap_err().rule, "range_length");
        let price = NightsChange { price: Patch::Set(Amount(1)), ..change() };
        assert_eq!(price.check().unwrap_err().rule, "price_needs_plan");
        let no_day = NightsChange { weekdays: Some(Vec::new()), ..change() };
        assert_eq!(no_day.check().unwrap_err().pointer, "/weekdays");
    }

    #[test]
    fn rooms_and_prices_have_limits() {
        let plan = Some(RatePlanId(uuid::Uuid::nil()));
        for (absurd, pointer) in [
            (NightsChange { physical: Patch::Set(MAX_ROOMS + 1), ..change() }, "/physical"),
            (NightsChange { out_of_order: Patch::Set(u16::MAX), ..change() }, "/out_of_order"),
            (NightsChange { allowance: Patch::Set(i16::MIN), ..change() }, "/allowance"),
            (NightsChange { rate_plan: plan, price: Patch::Set(Amount(-1)), ..change() }, "/price_minor"),
            (NightsChange { rate_plan: plan, price: Patch::Set(Amount(i64::MAX)), ..change() }, "/price_minor"),
        ] {
            assert_eq!(absurd.check().unwrap_err().pointer, pointer);
        }
        let largest = NightsChange { physical: Patch::Set(MAX_ROOMS), allowance: Patch::Set(-10_000), ..change() };
        assert!(largest.check().is_ok());
    }

    #[test]
    fn an_absent_value_stays_and_a_reset_value_is_the_default() {
        let night = Night { physical: Some(3), out_of_order: 1, allowance: Some(2), sold: 2, ..Night::default() };
        assert_eq!(change().over_night(night), night);
        let reset = NightsChange { physical: Patch::Reset, out_of_order: Patch::Reset, ..change() };
        let after = reset.over_night(night);
        assert_eq!((after.physical, after.out_of_order, after.allowance, after.sold), (None, 0, Some(2), 2));
    }

    #[test]
    fn a_rate_plans_restriction_leaves_the_room_types_alone() {
        let plan = Some(RatePlanId(uuid::Uuid::nil()));
        let closing = RestrictionPatch { stop_sell: Patch::Set(true), ..RestrictionPatch::default() };
        let change = NightsChange { rate_plan: plan, restriction: closing, ..change() };
        assert!(!change.over_night(Night::default()).restriction.stop_sell);
        assert!(change.over_rate(RateNight::default()).restriction.stop_sell);
    }
}

//! A prefilter: one bit per night that says the room type surely sells nothing.
//!
//! In high season most room types of a city have no room. The prefilter finds that out in one word of memory; an exact
//! quote reads a dozen places. It never decides: room types that pass are quoted.

use std::ops::Range;

use crate::domain::stay::days_between;
use crate::domain::{Calendar, Date, Inventory, Night, Stay};

/// Day 0.
const EPOCH: Date = Date::constant(1970, 1, 1);
const WORD: i32 = 64;

/// Marks nights that surely sell nothing. Unmarked nights may or may not sell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prefilter {
    /// The number of the first word, counted from day 0.
    first: i32,
    words: Box<[u64]>,
}

/// The nights of a stay, counted from day 0.
pub(super) fn nights(stay: Stay) -> Range<i32> {
    day(stay.check_in())..day(stay.check_out())
}

fn day(date: Date) -> i32 {
    days_between(EPOCH, date)
}

/// The bit of a day in its word.
fn bit(number: i32) -> u64 {
    1 << number.rem_euclid(WORD)
}

fn is_shut(calendar: &Calendar, night: &Night) -> bool {
    night.restriction.stop_sell || calendar.free(night) == 0
}

impl Prefilter {
    pub fn of(inventory: &Inventory) -> Self {
        let calendar = &inventory.calendar;
        let touched = calendar.touched(calendar.first(), calendar.end());
        let shut = touched.filter(|(_, night)| is_shut(calendar, night));
        let mut prefilter = Self::default();
        let mut words = Vec::new();
        for number in shut.map(|(date, _)| day(date)) {
            if words.is_empty() {
                prefilter.first = number.div_euclid(WORD);
            }
            // Dates ascend, so none is before the first.
            let index = (number.div_euclid(WORD) - prefilter.first) as usize;
            words.resize(words.len().max(index + 1), 0);
            words[index] |= bit(number);
        }
        Self { words: words.into(), ..prefilter }
    }

    /// Updates some nights after they have changed.
    pub fn update(&mut self, inventory: &Inventory, dates: impl IntoIterator<Item = Date>) {
        let calendar = &inventory.calendar;
        for date in dates {
            let shut = calendar.night(date).is_some_and(|night| is_shut(calendar, night));
            let number = day(date);
            match self.index(number) {
                Some(index) if shut => self.words[index] |= bit(number),
                Some(index) => self.words[index] &= !bit(number),
                None if shut => return *self = Self::of(inventory),
                None => {}
            }
        }
    }

    /// Whether at least one of the nights surely sells nothing.
    pub fn rules_out(&self, mut nights: Range<i32>) -> bool {
        nights.any(|number| self.index(number).is_some_and(|index| self.words[index] & bit(number) != 0))
    }

    /// The index of the word with the bit of a day.
    fn index(&self, number: i32) -> Option<usize> {
        let index = usize::try_from(number.div_euclid(WORD) - self.first).ok()?;
        (index < self.words.len()).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::{day, inventory, stay};

    proptest! {
        #[test]
        fn a_night_is_ruled_out_when_it_is_full_or_closed(
            nights in prop::collection::vec((0..700i64, 0..4u16, any::<bool>()), 0..50),
            arrival in 0..730i64,
            length in 1..30i64,
        ) {
            let mut stock = inventory(3);
            for (number, sold, shut) in nights {
                let night = stock.calendar.night_mut(day(number)).unwrap();
                night.sold = sold;
                night.restriction.stop_sell = shut;
            }
            let stay = stay(arrival, length);
            let shut = |date| {
                let night = stock.calendar.night(date);
                night.is_some_and(|night| night.sold == 3 || night.restriction.stop_sell)
            };
            prop_assert_eq!(Prefilter::of(&stock).rules_out(super::nights(stay)), stay.dates().any(shut));
        }
    }

    proptest! {
        #[test]
        fn updating_the_changed_nights_is_as_good_as_building_it_anew(
            moves in prop::collection::vec((0..700i64, 0..4u16, any::<bool>()), 0..50),
        ) {
            let mut stock = inventory(3);
            let mut prefilter = Prefilter::of(&stock);
            for (number, sold, shut) in moves {
                let night = stock.calendar.night_mut(day(number)).unwrap();
                (night.sold, night.restriction.stop_sell) = (sold, shut);
                prefilter.update(&stock, [day(number)]);
                let afresh = Prefilter::of(&stock);
                for number in 0..730 {
                    let night = super::nights(stay(number, 1));
                    prop_assert_eq!(prefilter.rules_out(night.clone()), afresh.rules_out(night));
                }
            }
        }
    }

    #[test]
    fn an_open_room_type_rules_nothing_out() {
        assert_eq!(Prefilter::of(&inventory(3)), Prefilter::default());
        assert!(!Prefilter::default().rules_out(-100..100));
    }
}

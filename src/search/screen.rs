//! A first look: nights on which a room type surely sells nothing, a bit each.
//!
//! In high season most room types of a city fail for want of a room. Finding that out takes one word of memory here, and
//! a dozen places all over it to quote exactly. A screen never decides: what it lets through is quoted.

use std::ops::Range;

use crate::domain::stay::days_between;
use crate::domain::{Calendar, Date, Inventory, Night, Stay};

/// Day 0.
const EPOCH: Date = Date::constant(1970, 1, 1);
const WORD: i32 = 64;

/// Nights that surely sell nothing. Nights it does not reach may sell something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Screen {
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

/// Its place in its word.
fn bit(number: i32) -> u64 {
    1 << number.rem_euclid(WORD)
}

fn is_shut(calendar: &Calendar, night: &Night) -> bool {
    night.restriction.stop_sell || calendar.free(night) == 0
}

impl Screen {
    pub fn of(inventory: &Inventory) -> Self {
        let calendar = &inventory.calendar;
        let touched = calendar.touched(calendar.first(), calendar.end());
        let shut = touched.filter(|(_, night)| is_shut(calendar, night));
        let mut screen = Self::default();
        let mut words = Vec::new();
        for number in shut.map(|(date, _)| day(date)) {
            if words.is_empty() {
                screen.first = number.div_euclid(WORD);
            }
            // In order of the dates, so that none is before the first.
            let index = (number.div_euclid(WORD) - screen.first) as usize;
            words.resize(words.len().max(index + 1), 0);
            words[index] |= bit(number);
        }
        Self { words: words.into(), ..screen }
    }

    /// Looks again at some nights of the same inventory, not at all of them as [`Screen::of`] does.
    pub fn look_again(&mut self, inventory: &Inventory, dates: impl IntoIterator<Item = Date>) {
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

    /// Whether one of the nights surely sells nothing.
    pub fn rules_out(&self, mut nights: Range<i32>) -> bool {
        nights.any(|number| self.index(number).is_some_and(|index| self.words[index] & bit(number) != 0))
    }

    /// The word that has a night's bit.
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
        fn a_night_is_ruled_out_when_it_is_full_or_shut(
            nights in prop::collection::vec((0..700i64, 0..4u16, any::<bool>()), 0..50),
            arrival in 0..730i64,
            length in 1..30i64,
        ) {
            let mut house = inventory(3);
            for (number, sold, shut) in nights {
                let night = house.calendar.night_mut(day(number)).unwrap();
                night.sold = sold;
                night.restriction.stop_sell = shut;
            }
            let stay = stay(arrival, length);
            let shut = |date| {
                let night = house.calendar.night(date);
                night.is_some_and(|night| night.sold == 3 || night.restriction.stop_sell)
            };
            prop_assert_eq!(Screen::of(&house).rules_out(super::nights(stay)), stay.dates().any(shut));
        }
    }

    proptest! {
        #[test]
        fn to_look_again_at_what_has_changed_is_to_look_at_everything(
            moves in prop::collection::vec((0..700i64, 0..4u16, any::<bool>()), 0..50),
        ) {
            let mut house = inventory(3);
            let mut screen = Screen::of(&house);
            for (number, sold, shut) in moves {
                let night = house.calendar.night_mut(day(number)).unwrap();
                (night.sold, night.restriction.stop_sell) = (sold, shut);
                screen.look_again(&house, [day(number)]);
                let afresh = Screen::of(&house);
                for number in 0..730 {
                    let night = super::nights(stay(number, 1));
                    prop_assert_eq!(screen.rules_out(night.clone()), afresh.rules_out(night));
                }
            }
        }
    }

    #[test]
    fn an_open_house_rules_nothing_out() {
        assert_eq!(Screen::of(&inventory(3)), Screen::default());
        assert!(!Screen::default().rules_out(-100..100));
    }
}

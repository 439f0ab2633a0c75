//! A sparse map from dates to values.
//!
//! A room type has hundreds of nights, and most have default values. Only dates with other values use memory. So actors
//! stay small, and the search index can hold every room type.

use super::Date;
use super::stay::dates;

/// A map from dates to values, sorted by date. A look-up is a binary search; a range is read from there on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByDate<T>(Vec<(Date, T)>);

impl<T> Default for ByDate<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByDate<T> {
    pub fn get(&self, date: Date) -> Option<&T> {
        let index = self.find(date).ok()?;
        self.0.get(index).map(|(_, value)| value)
    }

    /// The value of a date. Inserts the default if there is none.
    pub fn entry(&mut self, date: Date) -> &mut T
    where
        T: Default,
    {
        let index = self.find(date).unwrap_or_else(|index| {
            self.0.insert(index, (date, T::default()));
            index
        });
        &mut self.0[index].1
    }

    pub fn insert(&mut self, date: Date, value: T) {
        match self.find(date) {
            Ok(index) => self.0[index].1 = value,
            Err(index) => self.0.insert(index, (date, value)),
        }
    }

    /// All values with their dates, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Date, &T)> {
        self.0.iter().map(|(date, value)| (*date, value))
    }

    /// The values of [from, to) with their dates, in order.
    pub fn range(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, &T)> {
        self.from(from).iter().take_while(move |(date, _)| *date < to).map(|(date, value)| (*date, value))
    }

    /// Every date of [from, to) in order, with its value if there is one.
    pub fn walk(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, Option<&T>)> {
        let mut known = self.from(from).iter().peekable();
        dates(from, to).map(move |date| (date, known.next_if(|(next, _)| *next == date).map(|(_, value)| value)))
    }

    /// Removes all values before `first`.
    pub fn forget_before(&mut self, first: Date) {
        self.0.drain(..self.position(first));
    }

    /// The memory of the values, in bytes.
    pub fn memory(&self) -> usize {
        self.0.capacity() * size_of::<(Date, T)>()
    }

    fn from(&self, first: Date) -> &[(Date, T)] {
        &self.0[self.position(first)..]
    }

    fn position(&self, date: Date) -> usize {
        self.0.partition_point(|(known, _)| *known < date)
    }

    fn find(&self, date: Date) -> Result<usize, usize> {
        self.0.binary_search_by_key(&date, |(known, _)| *known)
    }
}

impl<T> FromIterator<(Date, T)> for ByDate<T> {
    /// Dates may come in any order. If a date comes twice, the last value stays.
    fn from_iter<I: IntoIterator<Item = (Date, T)>>(values: I) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        let in_order = values.is_sorted_by(|(one, _), (next, _)| one < next);
        if !in_order {
            values.sort_by_key(|(date, _)| *date);
            values.reverse();
            values.dedup_by_key(|(date, _)| *date);
            values.reverse();
        }
        values.shrink_to_fit();
        Self(values)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn day(number: u8) -> Date {
        date(2026, 5, 1).saturating_add(jiff::Span::new().days(i64::from(number)))
    }

    fn of(values: &[(u8, u8)]) -> ByDate<u8> {
        values.iter().map(|(number, value)| (day(*number), *value)).collect()
    }

    proptest! {
        #[test]
        fn it_is_a_map(values: Vec<(u8, u8)>, inserted: Vec<(u8, u8)>, from: u8, to: u8) {
            let mut map = of(&values);
            let mut model: BTreeMap<Date, u8> = values.iter().map(|(number, value)| (day(*number), *value)).collect();
            for (number, value) in inserted {
                map.insert(day(number), value);
                model.insert(day(number), value);
            }
            let (from, to) = (day(from.min(to)), day(to.max(from)));
            prop_assert!(map.range(from, to).eq(model.range(from..to).map(|(date, value)| (*date, value))));
            prop_assert!(map.walk(from, to).eq(dates(from, to).map(|date| (date, model.get(&date)))));
            prop_assert_eq!(map.get(from), model.get(&from));
            map.forget_before(from);
            let model = model.split_off(&from);
            prop_assert!(map.iter().eq(model.iter().map(|(date, value)| (*date, value))));
        }
    }

    #[test]
    fn an_entry_is_made_once() {
        let mut map = of(&[(1, 7), (3, 9)]);
        *map.entry(day(2)) += 1;
        *map.entry(day(2)) += 1;
        assert_eq!(map, of(&[(1, 7), (2, 2), (3, 9)]));
    }
}

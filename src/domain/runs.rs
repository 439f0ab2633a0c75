//! Run-length encoded values of dates: neighbouring dates with the same value share one entry. A change of ten years is
//! then one entry in memory and in the history.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Date;
use super::stay::dates;

/// Values of dates, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs<T>(Vec<Run<T>>);

/// The dates of [from, to) with their common value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<T> {
    pub from: Date,
    pub to: Date,
    pub value: T,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    /// Adds a run of dates.
    pub fn push(&mut self, run: Run<T>) {
        match self.0.last_mut() {
            Some(last) if last.to == run.from && last.value == run.value => last.to = run.to,
            _ => self.0.push(run),
        }
    }

    pub fn runs(&self) -> &[Run<T>] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of dates.
    pub fn len(&self) -> usize {
        self.0.iter().map(|run| dates(run.from, run.to).count()).sum()
    }

    /// Every date with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Date, T)> {
        self.0.iter().flat_map(|run| dates(run.from, run.to).map(|date| (date, run.value)))
    }
}

impl<T: Copy> Run<T> {
    /// A run of one date. `None` for the last date of the calendar type.
    pub(super) fn of(date: Date, value: T) -> Option<Self> {
        Some(Self { from: date, to: date.tomorrow().ok()?, value })
    }
}

impl<T: Copy + PartialEq> FromIterator<(Date, T)> for Runs<T> {
    fn from_iter<I: IntoIterator<Item = (Date, T)>>(values: I) -> Self {
        values.into_iter().filter_map(|(date, value)| Run::of(date, value)).collect()
    }
}

impl<T: Copy + PartialEq> FromIterator<Run<T>> for Runs<T> {
    fn from_iter<I: IntoIterator<Item = Run<T>>>(values: I) -> Self {
        let mut runs = Self::default();
        values.into_iter().for_each(|run| runs.push(run));
        runs
    }
}

/// Each run is written as `[from, to, value]`.
impl<T: Serialize> Serialize for Runs<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|run| (run.from, run.to, &run.value)))
    }
}

/// Older events have `[date, value]` instead of runs.
impl<'de, T: Deserialize<'de> + Copy + PartialEq> Deserialize<'de> for Runs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored<T> {
            Run(Date, Date, T),
            One(Date, T),
        }
        let stored = Vec::<Stored<T>>::deserialize(deserializer)?;
        let runs = stored.into_iter().filter_map(|stored| match stored {
            Stored::Run(from, to, value) => Some(Run { from, to, value }),
            Stored::One(date, value) => Run::of(date, value),
        });
        Ok(runs.collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::day;
    use super::*;

    proptest! {
        #[test]
        fn all_values_are_read_back(values: Vec<(u8, bool)>) {
            let values: Vec<_> = values.into_iter().map(|(number, value)| (day(number.into()), value)).collect();
            let runs: Runs<bool> = values.iter().copied().collect();
            prop_assert_eq!(runs.iter().collect::<Vec<_>>(), values.clone());
            prop_assert_eq!(runs.len(), values.len());
            let again: Runs<bool> = serde_json::from_value(serde_json::to_value(&runs).unwrap()).unwrap();
            prop_assert_eq!(again, runs);
        }
    }

    #[test]
    fn ten_years_are_one_entry() {
        let runs: Runs<u8> = (0..3_650).map(|number| (day(number), 7)).collect();
        assert_eq!(runs.runs(), [Run { from: day(0), to: day(3_650), value: 7 }]);
    }

    #[test]
    fn a_history_of_single_dates_is_still_read() {
        let runs: Runs<u8> = serde_json::from_value(json!([[day(0), 7], [day(1), 7], [day(3), 7]])).unwrap();
        assert_eq!(serde_json::to_value(&runs).unwrap(), json!([[day(0), day(2), 7], [day(3), day(4), 7]]));
    }
}

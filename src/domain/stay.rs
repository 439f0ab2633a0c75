//! A stay: the half-open interval of hotel-local dates [check-in, check-out).

use serde::{Deserialize, Serialize};

use super::{Date, Violation};

/// The nights from the arrival date up to, but not including, the departure date. Another guest may arrive on the
/// departure day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Interval")]
pub struct Stay {
    check_in: Date,
    check_out: Date,
}

/// Two dates that are not checked yet.
#[derive(Deserialize)]
struct Interval {
    check_in: Date,
    check_out: Date,
}

impl TryFrom<Interval> for Stay {
    type Error = Violation;

    fn try_from(Interval { check_in, check_out }: Interval) -> Result<Self, Violation> {
        Self::new(check_in, check_out)
    }
}

impl Stay {
    /// The longest stay that any hotel can allow, in nights.
    pub const MAX_NIGHTS: u16 = 1_000;

    /// A stay of at least one night and at most [`Stay::MAX_NIGHTS`].
    pub fn new(check_in: Date, check_out: Date) -> Result<Self, Violation> {
        if check_out <= check_in {
            let message = "must be after checkin_date";
            return Err(Violation::new("/checkout_date", "checkout_after_checkin", message));
        }
        if days_between(check_in, check_out) > i32::from(Self::MAX_NIGHTS) {
            let message = format!("must be at most {} nights after checkin_date", Self::MAX_NIGHTS);
            return Err(Violation::new("/checkout_date", "max_nights", message));
        }
        Ok(Self { check_in, check_out })
    }

    pub const fn check_in(self) -> Date {
        self.check_in
    }

    pub const fn check_out(self) -> Date {
        self.check_out
    }

    /// The number of nights.
    pub fn nights(self) -> u16 {
        u16::try_from(days_between(self.check_in, self.check_out)).unwrap_or(Self::MAX_NIGHTS)
    }

    /// The date of every night, in order.
    pub fn dates(self) -> impl Iterator<Item = Date> + Clone {
        dates(self.check_in, self.check_out)
    }

    pub fn contains(self, night: Date) -> bool {
        self.check_in <= night && night < self.check_out
    }

    /// The part of this stay before `departure`, but at least the first night: the stay after an early departure or a
    /// no-show.
    pub fn until(self, departure: Date) -> Self {
        let first_morning = self.check_in.tomorrow().unwrap_or(self.check_out);
        Self { check_in: self.check_in, check_out: departure.clamp(first_morning, self.check_out) }
    }
}

/// Every date from `from` up to, but not including, `to`.
pub fn dates(from: Date, to: Date) -> impl Iterator<Item = Date> + Clone {
    std::iter::successors(Some(from), |date| date.tomorrow().ok()).take_while(move |date| *date < to)
}

/// Whole days from `from` to `to`; negative when `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    from.duration_until(to).as_hours().div_euclid(24) as i32
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn check_out_must_be_after_check_in() {
        for check_out in [date(2026, 5, 1), date(2026, 4, 30)] {
            let violation = Stay::new(date(2026, 5, 1), check_out).unwrap_err();
            assert_eq!((violation.pointer.as_str(), violation.rule), ("/checkout_date", "checkout_after_checkin"));
        }
    }

    #[test]
    fn a_stay_is_read_back_as_it_was_written_and_invalid_ones_are_refused() {
        let stay = Stay::new(date(2026, 5, 1), date(2026, 5, 4)).unwrap();
        let text = serde_json::to_string(&stay).unwrap();
        assert_eq!(serde_json::from_str::<Stay>(&text).unwrap(), stay);
        let backwards = text.replace("2026-05-04", "2026-05-01");
        assert!(serde_json::from_str::<Stay>(&backwards).is_err());
    }

    #[test]
    fn a_stay_has_a_longest_length() {
        let violation = Stay::new(date(2026, 1, 1), date(9999, 12, 31)).unwrap_err();
        assert_eq!(violation.rule, "max_nights");
    }

    #[test]
    fn the_departure_date_is_no_night() {
        let stay = Stay::new(date(2028, 2, 28), date(2028, 3, 1)).unwrap();
        assert_eq!(stay.nights(), 2);
        assert_eq!(stay.dates().collect::<Vec<_>>(), [date(2028, 2, 28), date(2028, 2, 29)]);
        assert!(!stay.contains(date(2028, 3, 1)));
    }

    #[test]
    fn a_stay_cut_short_keeps_at_least_its_first_night() {
        let stay = Stay::new(date(2026, 5, 1), date(2026, 5, 5)).unwrap();
        assert_eq!(stay.until(date(2026, 5, 3)).nights(), 2);
        assert_eq!(stay.until(date(2026, 4, 1)).nights(), 1);
        assert_eq!(stay.until(date(2026, 6, 1)), stay);
    }

    proptest! {
        #[test]
        fn nights_count_the_dates(offset in 0..20_000i64, nights in 1..=1_000i64) {
            let check_in = date(1990, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
            let check_out = check_in.checked_add(jiff::Span::new().days(nights)).unwrap();
            let stay = Stay::new(check_in, check_out).unwrap();
            prop_assert_eq!(i64::from(stay.nights()), nights);
            prop_assert_eq!(stay.dates().count() as i64, nights);
            prop_assert!(stay.dates().all(|night| stay.contains(night)));
        }
    }
}

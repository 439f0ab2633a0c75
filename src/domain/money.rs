//! Money: integer minor units of one currency, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount in minor units (cents, yen, fils). The currency is the hotel's and is stored beside it.
///
/// Arithmetic saturates, and a saturated amount is never sold. Parts are never negative, so a saturated sum is above
/// [`Amount::MAX_TOTAL`] and [`Amount::is_sellable`] refuses it. A total that passes is the exact sum of its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

impl Amount {
    pub const ZERO: Self = Self(0);
    /// The highest price of one night or one service, in minor units.
    pub const MAX_PRICE: Self = Self(100_000_000_000);

    /// The highest total of a booking, in minor units: 2^53 − 1, the largest integer that every JSON client reads exactly
    /// (RFC 8259, section 6).
    pub const MAX_TOTAL: Self = Self((1 << 53) - 1);

    pub const fn minor(self) -> i64 {
        self.0
    }

    /// This amount, `count` times.
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Whether it can be the total of a booking.
    pub fn is_sellable(self) -> bool {
        self <= Self::MAX_TOTAL
    }

    /// A whole percentage of a non-negative amount, rounded half up to the minor unit.
    pub fn percent(self, percent: u8) -> Self {
        let exact = i128::from(self.0) * i128::from(percent);
        Self(i64::try_from((exact + 50).div_euclid(100)).unwrap_or(i64::MAX))
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The alphabetic code, e.g. `EUR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The number of decimal digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

/// The text is not an ISO 4217 code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 currency code such as EUR")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        iso_currency::Currency::from_code(code).map(Self).ok_or(UnknownCurrency)
    }
}

/// By code.
impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.code().cmp(other.code()) }
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_round_half_up() {
        assert_eq!(Amount(101).percent(50), Amount(51));
        assert_eq!(Amount(99).percent(50), Amount(50));
        assert_eq!(Amount(10_000).percent(0), Amount::ZERO);
    }

    #[test]
    fn currencies_are_iso_4217() {
        assert_eq!("EUR".parse::<Currency>().map(Currency::exponent), Ok(2));
        assert_eq!("JPY".parse::<Currency>().map(Currency::exponent), Ok(0));
        assert_eq!("KWD".parse::<Currency>().map(Currency::exponent), Ok(3));
        assert_eq!("euro".parse::<Currency>(), Err(UnknownCurrency));
    }

    proptest! {
        #[test]
        fn a_total_that_can_be_sold_is_the_exact_sum_of_its_parts(
            parts in prop::collection::vec((0..=Amount::MAX_PRICE.0, any::<u32>()), 0..12),
        ) {
            let sum: Amount = parts.iter().map(|(price, count)| Amount(*price).times(u64::from(*count))).sum();
            let exact: i128 = parts.iter().map(|(price, count)| i128::from(*price) * i128::from(*count)).sum();
            prop_assert_eq!(sum.is_sellable(), exact <= i128::from(Amount::MAX_TOTAL.0));
            prop_assert!(!sum.is_sellable() || i128::from(sum.0) == exact);
        }

        #[test]
        fn a_percentage_is_never_more_than_the_whole(minor in 0..i64::MAX, percent in 0..=100u8) {
            let part = Amount(minor).percent(percent);
            prop_assert!(part >= Amount::ZERO && part <= Amount(minor));
        }

        #[test]
        fn a_part_and_its_rest_make_the_whole(minor in 0..1_000_000_000i64, percent in 0..=100u8) {
            let whole = Amount(minor);
            let part = whole.percent(percent);
            prop_assert_eq!(part + (whole - part), whole);
        }
    }
}

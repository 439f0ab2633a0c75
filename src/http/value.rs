//! Values in JSON and in query parameters.

use std::fmt;

use jiff::civil::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::order::{MAX_GUESTS, MAX_ROOMS_PER_BOOKING};
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{Amount, Date, Party, Violation, stay};

/// A date, written `YYYY-MM-DD`. Other formats are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        shaped.then(|| text.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("must be a date that exists, written YYYY-MM-DD"))
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let date = SchemaFormat::KnownFormat(KnownFormat::Date);
        let text = Some("A calendar date of the hotel, YYYY-MM-DD.");
        ObjectBuilder::new().schema_type(Type::String).format(Some(date)).description(text).into()
    }
}

impl ToSchema for Day {
    fn name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }
}

/// The longest range of dates, in days.
const YEAR: i32 = 366;

/// Checks a range of dates: at least one day, at most a year.
pub fn up_to_a_year(from: Day, to: Day) -> Result<(), Violation> {
    match stay::days_between(from.0, to.0) {
        ..1 => Err(Violation::new("/to", "to_after_from", "must be after from (it is exclusive)")),
        1..=YEAR => Ok(()),
        _ => Err(Violation::new("/to", "range_length", format!("must be at most {YEAR} days after from"))),
    }
}

/// A time of the day, written `HH:MM`.
pub fn time(text: &str, pointer: &str) -> Result<Time, Violation> {
    let shaped = text.len() == 5;
    let time = Time::strptime("%H:%M", text).ok().filter(|_| shaped);
    time.ok_or_else(|| Violation::new(pointer, "time", "must be a time of the day, written HH:MM"))
}

/// A time of the day, written `HH:MM`.
pub fn hours_and_minutes(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// A whole number within limits, converted to the type of the domain.
pub fn whole<T>(value: i64, min: T, max: T, pointer: &str, rule: &'static str) -> Result<T, Violation>
where
    T: TryFrom<i64> + PartialOrd + fmt::Display + Copy,
{
    match T::try_from(value) {
        Ok(value) if min <= value && value <= max => Ok(value),
        _ => Err(Violation::new(pointer, rule, format!("must be from {min} to {max}"))),
    }
}

/// The party and the number of rooms of a query. Default: two adults in one room, or one adult in each of several
/// rooms.
pub fn party(
    adults: Option<i64>,
    children: Option<i64>,
    rooms: Option<i64>,
    violations: &mut Violations,
) -> Option<(Party, u16)> {
    let most = MAX_GUESTS as u16;
    let default_adults = rooms.unwrap_or(1).clamp(2, MAX_ROOMS_PER_BOOKING.into());
    let adults = violations.keep(whole(adults.unwrap_or(default_adults), 1, most, "/adults", "guests_range"));
    let children = violations.keep(whole(children.unwrap_or(0), 0, most, "/children", "guests_range"));
    let rooms = violations.keep(whole(rooms.unwrap_or(1), 1, MAX_ROOMS_PER_BOOKING, "/rooms", "rooms_range"));
    let (party, rooms) = (Party { adults: adults?, children: children? }, rooms?);
    violations.require(party.has_adult_in_each(rooms), "/adults", "adult_in_each_room", "must be at least `rooms`");
    Some((party, rooms))
}

/// The longest `force`, in characters.
pub const MAX_FORCE: usize = 100;

/// The name of the person who overrides a rule with `force`, 1 to 100 characters.
pub fn force(name: Option<&str>) -> Result<Option<String>, Violation> {
    name.map(|name| text::line(name, MAX_FORCE, "/force")).transpose()
}

/// The price of one night, or of one unit of a service.
pub fn price(minor: i64, pointer: &str) -> Result<Amount, Violation> {
    whole(minor, 0, Amount::MAX_PRICE.minor(), pointer, "price_range").map(Amount)
}

/// Reads a member that may be absent but not `null`. For `#[serde(default, deserialize_with = …)]`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-02-28", true)]
    #[case("2026-02-30", false)]
    #[case("2026-2-28", false)]
    #[case("20260228", false)]
    #[case("2026-02-28T10:00", false)]
    #[case("-00026-02-", false)]
    #[case("2026/02/28", false)]
    #[case("٢٠٢٦-٠٢-٢٨", false)]
    fn a_date_has_one_format(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(Day::parse(text).is_some(), accepted);
    }

    #[rstest]
    #[case("15:00", true)]
    #[case("24:00", false)]
    #[case("9:00", false)]
    #[case("15:00:00", false)]
    fn a_time_has_one_format(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(time(text, "/check_in_time").is_ok(), accepted);
    }

    #[test]
    fn numbers_outside_their_limits_are_refused_and_never_wrap() {
        assert_eq!(whole::<u16>(10, 1, 10, "/rooms", "rooms_range"), Ok(10));
        for value in [0, 11, -1, 65_536 + 5, i64::MIN, i64::MAX] {
            assert!(whole::<u16>(value, 1, 10, "/rooms", "rooms_range").is_err());
        }
    }
}

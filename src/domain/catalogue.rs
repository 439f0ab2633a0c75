//! The catalogue: hotels and their room types.

use std::fmt;

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Currency, Date, HotelId, Occupancy, RoomTypeId, Timestamp, Violation};

/// A hotel, with one time zone and one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hotel {
    pub id: HotelId,
    pub name: String,
    pub city: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub timezone: Zone,
    pub currency: Currency,
    /// Earliest arrival in local time. Cancellation deadlines count back from it.
    pub check_in_time: Time,
    pub check_out_time: Time,
    pub location: Option<Coordinates>,
    /// Longest stay, in nights.
    pub max_nights: u16,
    /// The booking horizon: how far ahead a night can be booked, in nights from today.
    pub horizon_nights: u16,
}

impl Hotel {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 200;
    /// The longest name of its city, in characters.
    pub const MAX_CITY: usize = 100;
    pub const DEFAULT_MAX_NIGHTS: u16 = 30;
    pub const DEFAULT_HORIZON_NIGHTS: u16 = 730;
    /// The longest horizon of a hotel: ten years.
    pub const LONGEST_HORIZON_NIGHTS: u16 = 3_660;
    pub const DEFAULT_CHECK_IN_TIME: Time = Time::constant(15, 0, 0, 0);
    pub const DEFAULT_CHECK_OUT_TIME: Time = Time::constant(11, 0, 0, 0);

    /// The hotel's local date at an instant.
    pub fn today(&self, now: Timestamp) -> Date {
        self.timezone.date(now)
    }

    /// The date after the last night that can be sold when the hotel's date is `today`.
    pub fn horizon_end(&self, today: Date) -> Date {
        today.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(self.horizon_nights)))
    }

    /// The instant when rooms of an arrival date are ready. In a daylight saving gap it is the instant after the gap;
    /// in a repeated hour it is the first of the two.
    pub fn check_in_at(&self, date: Date) -> Timestamp {
        self.instant(date, self.check_in_time)
    }

    /// The instant when rooms of a departure date must be free.
    pub fn check_out_at(&self, date: Date) -> Timestamp {
        self.instant(date, self.check_out_time)
    }

    fn instant(&self, date: Date, time: Time) -> Timestamp {
        self.timezone.0.to_timestamp(date.to_datetime(time)).unwrap_or(Timestamp::MAX)
    }
}

/// A position on the globe, WGS 84, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    pub latitude: f64,
    pub longitude: f64,
}

impl Coordinates {
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, Violation> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(Violation::new("/latitude", "latitude_range", "must be from -90 to 90"));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(Violation::new("/longitude", "longitude_range", "must be from -180 to 180"));
        }
        Ok(Self { latitude, longitude })
    }

    /// Whether both are the same point, within a billionth of a degree (0.1 mm). A number of 17 digits may be read from
    /// JSON with an error in its last digit.
    pub fn is_same_point(self, other: Self) -> bool {
        const TOLERANCE: f64 = 1e-9;
        (self.latitude - other.latitude).abs() < TOLERANCE && (self.longitude - other.longitude).abs() < TOLERANCE
    }
}

/// A kind of room of one hotel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomType {
    pub id: RoomTypeId,
    pub hotel_id: HotelId,
    pub name: String,
    pub occupancy: Occupancy,
    /// Physical rooms of this type.
    pub rooms: u16,
    /// Rooms that may be sold beyond the physical ones. A negative number keeps rooms back.
    pub overbooking_allowance: i16,
}

impl RoomType {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 100;
}

/// An IANA time zone, such as `Europe/Lisbon`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn parse(name: &str) -> Result<Self, Violation> {
        let message = "must be an IANA time zone such as Europe/Lisbon";
        match TimeZone::get(name) {
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(Violation::new("/timezone", "timezone", message)),
        }
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local date in this zone at an instant.
    pub fn date(&self, at: Timestamp) -> Date {
        self.0.to_datetime(at).date()
    }

    /// The date in the first time zone on earth (UTC+14). No zone has a later date.
    pub fn first_date(at: Timestamp) -> Date {
        Offset::constant(14).to_datetime(at).date()
    }

    /// The date in the last time zone on earth (UTC-12). No zone has an earlier date.
    pub fn last_date(at: Timestamp) -> Date {
        Offset::constant(-12).to_datetime(at).date()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).map_err(|violation| de::Error::custom(violation.message))
    }
}

/// An ISO 3166-1 alpha-2 country code in capitals.
pub fn country(code: &str) -> Result<String, Violation> {
    match rust_iso3166::from_alpha2(code) {
        Some(country) => Ok(country.alpha2.to_owned()),
        None => Err(Violation::new("/country", "country", "must be an ISO 3166-1 alpha-2 code such as PT")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn hotel(zone: &str) -> Hotel {
        Hotel { timezone: Zone::parse(zone).unwrap(), ..crate::domain::testing::hotel() }
    }

    #[test]
    fn today_is_the_hotels_own_date() {
        let now = "2026-05-01T11:30:00Z".parse().unwrap();
        assert_eq!(hotel("Pacific/Auckland").today(now), date(2026, 5, 1));
        assert_eq!(hotel("Pacific/Kiritimati").today(now), date(2026, 5, 2));
        assert_eq!(hotel("Pacific/Pago_Pago").today(now), date(2026, 5, 1));
    }

    #[test]
    fn check_in_copes_with_the_gap_and_the_repeated_hour_of_daylight_saving_time() {
        let mut berlin = hotel("Europe/Berlin");
        berlin.check_in_time = Time::constant(2, 30, 0, 0);
        assert_eq!(berlin.check_in_at(date(2026, 3, 29)).to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(berlin.check_in_at(date(2026, 10, 25)).to_string(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn zones_and_countries_are_known_ones() {
        assert!(Zone::parse("Mars/Olympus").is_err());
        assert!(Zone::parse("Etc/Unknown").is_err());
        assert_eq!(country("PT"), Ok("PT".to_owned()));
        assert!(country("Portugal").is_err());
        assert!(country("QQ").is_err());
    }

    #[test]
    fn coordinates_lie_on_the_globe() {
        assert!(Coordinates::new(38.7, -9.1).is_ok());
        assert_eq!(Coordinates::new(90.1, 0.0).unwrap_err().pointer, "/latitude");
        assert_eq!(Coordinates::new(0.0, f64::NAN).unwrap_err().pointer, "/longitude");
    }
}

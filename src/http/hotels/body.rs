//! The body of a hotel, and its rules.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moved::Moved;
use crate::domain::catalogue::{Coordinates, Zone, country};
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{Currency, Hotel, HotelId, Stay, Violation};
use crate::http::extract::object;
use crate::http::value::{hours_and_minutes, time, whole};

/// A new hotel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewHotel)]
pub struct HotelBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// 1 to 100 characters. Search finds the hotel by its city.
    #[schema(min_length = 1, max_length = 100)]
    pub city: String,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country: String,
    /// An IANA time zone. The hotel's dates are dates in this zone.
    pub timezone: String,
    /// ISO 4217. It cannot change later, because prices and bookings are in this currency.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// The earliest arrival, `HH:MM`. Cancellation deadlines count back from it.
    #[schema(default = "15:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub check_in_time: Option<String>,
    /// The latest departure, `HH:MM`.
    #[schema(default = "11:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub check_out_time: Option<String>,
    /// WGS 84, in degrees.
    #[serde(default, deserialize_with = "object::maybe")]
    pub coordinates: Option<CoordinatesBody>,
    /// The longest stay, in nights.
    #[schema(default = 30, minimum = 1, maximum = 1000)]
    pub max_nights: Option<i64>,
    /// The booking horizon: how far ahead a night can be booked, in nights from today.
    #[schema(default = 730, minimum = 1, maximum = 3660)]
    pub horizon_nights: Option<i64>,
}

/// A geographic position.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Coordinates)]
pub struct CoordinatesBody {
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: f64,
}

/// A hotel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hotel)]
pub struct HotelView {
    #[schema(value_type = uuid::Uuid)]
    pub id: HotelId,
    #[serde(flatten)]
    pub hotel: HotelBody,
    /// After a change of the time zone: what it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// A change of a hotel.
#[derive(Debug, Serialize, ToSchema)]
pub struct HotelPatch {
    #[serde(flatten)]
    pub hotel: HotelBody,
    /// The name of the person who changes the time zone despite live bookings, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub force: Option<String>,
}

impl HotelBody {
    /// The hotel, or all violations. A text that equals the `present` one is kept: it may be older than its rule.
    pub fn check(self, id: HotelId, present: Option<&Hotel>) -> Result<Hotel, Vec<Violation>> {
        let mut violations = Violations::default();
        let hour = |given: Option<String>, pointer, default| given.map_or(Ok(default), |given| time(&given, pointer));
        let code = |_| Violation::new("/currency", "currency", "must be an ISO 4217 code such as EUR");
        let nights = |given: Option<i64>, default: u16, max, pointer: &str| {
            given.map_or(Ok(default), |given| whole(given, 1, max, pointer, "nights_range"))
        };
        let position = self
            .coordinates
            .map(|at| Coordinates::new(at.latitude, at.longitude).map_err(|violation| violation.under("/coordinates")));
        let line = |value: &str, member: fn(&Hotel) -> &String, max, pointer| {
            text::line_unless_kept(value, present.map(|hotel| member(hotel).as_str()), max, pointer)
        };
        let (max, horizon) = (Hotel::DEFAULT_MAX_NIGHTS, Hotel::DEFAULT_HORIZON_NIGHTS);

        let name = violations.keep(line(&self.name, |hotel| &hotel.name, Hotel::MAX_NAME, "/name"));
        let city = violations.keep(line(&self.city, |hotel| &hotel.city, Hotel::MAX_CITY, "/city"));
        let is_kept = present.is_some_and(|hotel| hotel.country == self.country);
        let country = violations.keep(if is_kept { Ok(self.country) } else { country(&self.country) });
        let timezone = violations.keep(Zone::parse(&self.timezone));
        let currency = violations.keep(self.currency.parse::<Currency>().map_err(code));
        let check_in = violations.keep(hour(self.check_in_time, "/check_in_time", Hotel::DEFAULT_CHECK_IN_TIME));
        let check_out = violations.keep(hour(self.check_out_time, "/check_out_time", Hotel::DEFAULT_CHECK_OUT_TIME));
        let location = violations.keep(position.transpose());
        let max_nights = violations.keep(nights(self.max_nights, max, Stay::MAX_NIGHTS, "/max_nights"));
        let longest = Hotel::LONGEST_HORIZON_NIGHTS;
        let horizon = violations.keep(nights(self.horizon_nights, horizon, longest, "/horizon_nights"));

        let hotel = (|| {
            Some(Hotel {
                id,
                name: name?,
                city: city?,
                country: country?,
                timezone: timezone?,
                currency: currency?,
                check_in_time: check_in?,
                check_out_time: check_out?,
                location: location?,
                max_nights: max_nights?,
                horizon_nights: horizon?,
            })
        })();
        violations.finish(hotel)
    }
}

impl From<&Hotel> for HotelBody {
    fn from(hotel: &Hotel) -> Self {
        Self {
            name: hotel.name.clone(),
            city: hotel.city.clone(),
            country: hotel.country.clone(),
            timezone: hotel.timezone.name().to_owned(),
            currency: hotel.currency.code().to_owned(),
            check_in_time: Some(hours_and_minutes(hotel.check_in_time)),
            check_out_time: Some(hours_and_minutes(hotel.check_out_time)),
            coordinates: hotel.location.map(|at| CoordinatesBody { latitude: at.latitude, longitude: at.longitude }),
            max_nights: Some(hotel.max_nights.into()),
            horizon_nights: Some(hotel.horizon_nights.into()),
        }
    }
}

impl From<&Hotel> for HotelView {
    fn from(hotel: &Hotel) -> Self {
        Self { id: hotel.id, hotel: hotel.into(), moved: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: serde_json::Value) -> HotelBody {
        serde_json::from_value(json).unwrap()
    }

    fn rules(body: HotelBody) -> Vec<String> {
        let violations = body.check(HotelId(uuid::Uuid::nil()), None).unwrap_err();
        violations.into_iter().map(|violation| violation.pointer).collect()
    }

    fn casa() -> HotelBody {
        body(serde_json::json!({
            "name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon", "currency": "EUR"
        }))
    }

    #[test]
    fn absent_members_have_defaults() {
        let hotel = casa().check(HotelId(uuid::Uuid::nil()), None).unwrap();
        assert_eq!((hotel.max_nights, hotel.horizon_nights), (30, 730));
        assert_eq!(HotelBody::from(&hotel).check_in_time.as_deref(), Some("15:00"));
    }

    #[test]
    fn a_hotel_reads_back_as_it_was_written() {
        let hotel = casa().check(HotelId(uuid::Uuid::nil()), None).unwrap();
        assert_eq!(HotelBody::from(&hotel).check(hotel.id, None).unwrap(), hotel);
    }

    /// As an older version stored it.
    #[test]
    fn a_text_that_stays_is_not_judged_by_a_newer_rule() {
        let hotel = casa().check(HotelId(uuid::Uuid::nil()), None).unwrap();
        let stored = Hotel { name: "Casa\u{200F}".into(), city: "Lis\u{200E}bon".into(), ..hotel };
        let patched = HotelBody { max_nights: Some(7), ..HotelBody::from(&stored) };
        let checked = patched.clone().check(stored.id, Some(&stored)).unwrap();
        assert_eq!(checked, Hotel { max_nights: 7, ..stored.clone() });
        let another = HotelBody { name: "House\u{200F}".into(), ..patched };
        assert_eq!(another.check(stored.id, Some(&stored)).unwrap_err()[0].pointer, "/name");
    }

    #[test]
    fn all_violations_are_reported_together() {
        let wrong = HotelBody {
            name: " ".into(),
            country: "Portugal".into(),
            timezone: "Lisbon".into(),
            currency: "euro".into(),
            check_in_time: Some("25:00".into()),
            coordinates: Some(CoordinatesBody { latitude: 91.0, longitude: 0.0 }),
            max_nights: Some(0),
            horizon_nights: Some(i64::MAX),
            ..casa()
        };
        let expected = [
            "/name",
            "/country",
            "/timezone",
            "/currency",
            "/check_in_time",
            "/coordinates/latitude",
            "/max_nights",
            "/horizon_nights",
        ];
        assert_eq!(rules(wrong), expected);
    }
}

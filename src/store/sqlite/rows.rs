//! Rows as the domain's types: every column is read here, once.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::catalogue::{Coordinates, Zone};
use crate::domain::{
    Amount, Booking, Contact, Email, Hotel, Mobile, Occupancy, RatePlan, RoomType, Service, ServiceBasis, Status, Stay,
    Timestamp, Violation,
};
use crate::store::Error;

/// A column whose text or number is not what this version writes.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {reason}")]
struct Unreadable {
    column: &'static str,
    reason: String,
}

fn unreadable(column: &'static str, reason: impl Display) -> Error {
    Error::Corrupt(Unreadable { column, reason: reason.to_string() }.into())
}

/// Columns by name, as typed values.
pub(super) trait Columns {
    /// Text that a type can be parsed from: ids, dates, codes.
    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, Error>;
    fn text(&self, column: &'static str) -> Result<String, Error>;
    fn text_opt(&self, column: &'static str) -> Result<Option<String>, Error>;
    fn number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T, Error>;
    fn number_opt<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<Option<T>, Error>;
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error>;
    fn instant(&self, column: &'static str) -> Result<Timestamp, Error>;
    fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], Error>;

    fn amount(&self, column: &'static str) -> Result<Amount, Error> {
        self.number(column).map(Amount)
    }
}

impl Columns for SqliteRow {
    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, Error> {
        self.try_get::<&str, _>(column)?.parse().map_err(|error| unreadable(column, error))
    }

    fn text(&self, column: &'static str) -> Result<String, Error> {
        Ok(self.try_get(column)?)
    }

    fn text_opt(&self, column: &'static str) -> Result<Option<String>, Error> {
        Ok(self.try_get(column)?)
    }

    fn number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T, Error> {
        self.try_get::<i64, _>(column)?.try_into().map_err(|error| unreadable(column, error))
    }

    fn number_opt<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<Option<T>, Error> {
        let number = self.try_get::<Option<i64>, _>(column)?;
        number.map(T::try_from).transpose().map_err(|error| unreadable(column, error))
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        serde_json::from_str(self.try_get(column)?).map_err(|error| unreadable(column, error))
    }

    fn instant(&self, column: &'static str) -> Result<Timestamp, Error> {
        Timestamp::from_microsecond(self.number(column)?).map_err(|error| unreadable(column, error))
    }

    fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], Error> {
        self.try_get::<&[u8], _>(column)?.try_into().map_err(|error| unreadable(column, error))
    }
}

pub(super) fn hotel(row: &SqliteRow) -> Result<Hotel, Error> {
    let zone = Zone::parse(row.try_get("timezone")?).map_err(|violation| unreadable("timezone", violation))?;
    let (latitude, longitude): (Option<f64>, Option<f64>) = (row.try_get("latitude")?, row.try_get("longitude")?);
    Ok(Hotel {
        id: row.parsed("hotel_id")?,
        name: row.text("hotel_name")?,
        city: row.text("city")?,
        country: row.text("country")?,
        timezone: zone,
        currency: row.parsed("currency")?,
        check_in_time: row.parsed("check_in_time")?,
        check_out_time: row.parsed("check_out_time")?,
        location: latitude.zip(longitude).map(|(latitude, longitude)| Coordinates { latitude, longitude }),
        max_nights: row.number("max_nights")?,
        horizon_nights: row.number("horizon_nights")?,
    })
}

pub(super) fn room_type(row: &SqliteRow) -> Result<RoomType, Error> {
    Ok(RoomType {
        id: row.parsed("room_type_id")?,
        hotel_id: row.parsed("hotel_id")?,
        name: row.text("room_type_name")?,
        occupancy: Occupancy {
            max_adults: row.number("max_adults")?,
            max_children: row.number("max_children")?,
            max_occupancy: row.number("max_occupancy")?,
        },
        rooms: row.number("rooms")?,
        overbooking_allowance: row.number("overbooking_allowance")?,
    })
}

/// A plan without its nights.
pub(super) fn rate_plan(row: &SqliteRow) -> Result<RatePlan, Error> {
    Ok(RatePlan {
        id: row.parsed("id")?,
        room_type_id: row.parsed("room_type_id")?,
        name: row.text("name")?,
        price: row.amount("price_minor")?,
        policy: row.json("policy")?,
        nights: Default::default(),
    })
}

pub(super) fn service(row: &SqliteRow) -> Result<Service, Error> {
    Ok(Service {
        id: row.parsed("id")?,
        hotel_id: row.parsed("hotel_id")?,
        name: row.text("name")?,
        basis: basis(row.try_get("basis")?)?,
        price: row.amount("price_minor")?,
    })
}

pub(super) fn basis_name(basis: ServiceBasis) -> &'static str {
    match basis {
        ServiceBasis::PerStay => "per_stay",
        ServiceBasis::PerNight => "per_night",
        ServiceBasis::PerPerson => "per_person",
        ServiceBasis::PerPersonNight => "per_person_night",
    }
}

fn basis(name: &str) -> Result<ServiceBasis, Error> {
    match name {
        "per_stay" => Ok(ServiceBasis::PerStay),
        "per_night" => Ok(ServiceBasis::PerNight),
        "per_person" => Ok(ServiceBasis::PerPerson),
        "per_person_night" => Ok(ServiceBasis::PerPersonNight),
        other => Err(unreadable("basis", format_args!("{other:?} is no basis"))),
    }
}

/// A row of `booking.sql`.
pub(super) fn booking(row: &SqliteRow) -> Result<Booking, Error> {
    Ok(Booking {
        id: row.parsed("id")?,
        hotel_id: row.parsed("hotel_id")?,
        room_type_id: row.parsed("room_type_id")?,
        rate_plan_id: row.parsed("rate_plan_id")?,
        status: status(row)?,
        stay: stay(row)?,
        rooms: row.number("rooms")?,
        guests: row.json("guests")?,
        prices: row.json("prices")?,
        services: row.json("services")?,
        contact: contact(row)?,
        external_reference: row.text_opt("external_reference")?,
        policy: row.json("policy")?,
        currency: row.parsed("currency")?,
        created_at: row.instant("created_at")?,
        changed_at: row.instant("changed_at")?,
        sequence: row.number("sequence")?,
    })
}

fn contact(row: &SqliteRow) -> Result<Contact, Error> {
    let mobile = Mobile::parse(row.try_get("mobile")?);
    let email = row.try_get::<Option<&str>, _>("email")?.map(Email::parse).transpose();
    // The value itself is personal, so only the rule it breaks is named.
    let broken = |column| move |violation: Violation| unreadable(column, violation.rule);
    Ok(Contact { mobile: mobile.map_err(broken("mobile"))?, email: email.map_err(broken("email"))? })
}

pub(super) fn stay(row: &SqliteRow) -> Result<Stay, Error> {
    Stay::new(row.parsed("check_in")?, row.parsed("check_out")?).map_err(|violation| unreadable("check_out", violation))
}

pub(super) fn status(row: &SqliteRow) -> Result<Status, Error> {
    Ok(match row.try_get("status")? {
        "held" => Status::Held { expires_at: row.instant("expires_at")? },
        "confirmed" => Status::Confirmed,
        "in_house" => Status::InHouse,
        "checked_out" => Status::CheckedOut { departed: row.parsed("departed")? },
        "cancelled" => Status::Cancelled { fee_minor: row.amount("fee_minor")? },
        "no_show" => Status::NoShow { fee_minor: row.amount("fee_minor")? },
        "expired" => Status::Expired,
        "released" => Status::Released,
        other => return Err(unreadable("status", format_args!("{other:?} is no status"))),
    })
}

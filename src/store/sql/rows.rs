//! Rows as the domain's types: every column is read here, once.

use std::sync::Arc;

use super::prices::StoredPrices;
use super::{Columns, unreadable};
use crate::domain::catalogue::{Coordinates, Zone};
use crate::domain::{
    Booking, BookingId, Contact, Email, Hotel, HotelId, Mobile, Occupancy, RatePlan, RatePlanId, RoomType, RoomTypeId,
    Service, ServiceBasis, ServiceId, Status, Stay,
};
use crate::store::{Answer, CountedNight, Error, Fingerprint, IdempotencyRecord, KeyDigest};

pub fn hotel(row: &impl Columns) -> Result<Hotel, Error> {
    let zone = Zone::parse(row.text("timezone")?).map_err(|violation| unreadable("timezone", violation))?;
    let (latitude, longitude) = (row.float_opt("latitude")?, row.float_opt("longitude")?);
    Ok(Hotel {
        id: HotelId(row.uuid("hotel_id")?),
        name: row.text("hotel_name")?.to_owned(),
        city: row.text("city")?.to_owned(),
        country: row.text("country")?.to_owned(),
        timezone: zone,
        currency: row.parsed("currency")?,
        check_in_time: row.parsed("check_in_time")?,
        check_out_time: row.parsed("check_out_time")?,
        location: latitude.zip(longitude).map(|(latitude, longitude)| Coordinates { latitude, longitude }),
        max_nights: row.number("max_nights")?,
        horizon_nights: row.number("horizon_nights")?,
    })
}

pub fn room_type(row: &impl Columns) -> Result<RoomType, Error> {
    Ok(RoomType {
        id: RoomTypeId(row.uuid("room_type_id")?),
        hotel_id: HotelId(row.uuid("hotel_id")?),
        name: row.text("room_type_name")?.to_owned(),
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
pub fn rate_plan(row: &impl Columns) -> Result<RatePlan, Error> {
    Ok(RatePlan {
        id: RatePlanId(row.uuid("id")?),
        room_type_id: RoomTypeId(row.uuid("room_type_id")?),
        name: row.text("name")?.to_owned(),
        price: row.amount("price_minor")?,
        policy: row.json("policy")?,
        nights: Default::default(),
    })
}

pub fn service(row: &impl Columns) -> Result<Service, Error> {
    Ok(Service {
        id: ServiceId(row.uuid("id")?),
        hotel_id: HotelId(row.uuid("hotel_id")?),
        name: row.text("name")?.to_owned(),
        basis: basis(row.text("basis")?)?,
        price: row.amount("price_minor")?,
    })
}

pub fn basis_name(basis: ServiceBasis) -> &'static str {
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
pub fn booking(row: &impl Columns) -> Result<Booking, Error> {
    let (prices, added) = row.json::<StoredPrices>("prices")?.into_parts();
    Ok(Booking {
        id: BookingId(row.uuid("id")?),
        hotel_id: HotelId(row.uuid("hotel_id")?),
        room_type_id: RoomTypeId(row.uuid("room_type_id")?),
        rate_plan_id: RatePlanId(row.uuid("rate_plan_id")?),
        status: status(row)?,
        stay: stay(row)?,
        rooms: row.number("rooms")?,
        guests: row.json("guests")?,
        prices,
        added,
        services: row.json("services")?,
        contact: contact(row)?,
        external_reference: row.text_opt("external_reference")?.map(str::to_owned),
        policy: row.json("policy")?,
        currency: row.parsed("currency")?,
        created_at: row.instant("created_at")?,
        changed_at: row.instant("changed_at")?,
        sequence: row.number("sequence")?,
    })
}

fn contact(row: &impl Columns) -> Result<Contact, Error> {
    let email = row.text_opt("email")?.map(Email::stored);
    Ok(Contact { mobile: Mobile::stored(row.text("mobile")?), email })
}

pub fn stay(row: &impl Columns) -> Result<Stay, Error> {
    Stay::new(row.date("check_in")?, row.date("check_out")?).map_err(|violation| unreadable("check_out", violation))
}

pub fn status(row: &impl Columns) -> Result<Status, Error> {
    Ok(match row.text("status")? {
        "held" => Status::Held { expires_at: row.instant("expires_at")? },
        "confirmed" => Status::Confirmed,
        "in_house" => Status::InHouse,
        "checked_out" => Status::CheckedOut { departed: row.date("departed")? },
        "cancelled" => Status::Cancelled { fee_minor: row.amount("fee_minor")? },
        "no_show" => Status::NoShow { fee_minor: row.amount("fee_minor")?, kept_until: row.date_opt("departed")? },
        "expired" => Status::Expired,
        "released" => Status::Released,
        other => return Err(unreadable("status", format_args!("{other:?} is no status"))),
    })
}

pub fn record(row: &impl Columns) -> Result<(KeyDigest, IdempotencyRecord), Error> {
    let key = KeyDigest(row.bytes("key")?);
    let fingerprint = Fingerprint(row.bytes("fingerprint")?);
    Ok((key, IdempotencyRecord { fingerprint, answer: answer(row)?, expires_at: row.instant("expires_at")? }))
}

fn answer(row: &impl Columns) -> Result<Answer, Error> {
    Ok(match row.text("kind")? {
        "booking" => Answer::Booking(Arc::new(row.json("answer")?)),
        "hotel" => Answer::Hotel(Arc::new(row.json("answer")?)),
        "room_type" => Answer::RoomType(Arc::new(row.json("answer")?)),
        "rate_plan" => Answer::RatePlan(Arc::new(row.json("answer")?)),
        "service" => Answer::Service(Arc::new(row.json("answer")?)),
        unknown => Answer::Unknown(unknown.to_owned()),
    })
}

pub fn counted_night(row: &impl Columns) -> Result<CountedNight, Error> {
    Ok(CountedNight {
        hotel: row.text("hotel_name")?.to_owned(),
        room_type: row.text("room_type_name")?.to_owned(),
        room_type_id: RoomTypeId(row.uuid("room_type_id")?),
        date: row.date("date")?,
        physical: row.number("physical")?,
        sold: row.number("sold")?,
        held: row.number("held")?,
    })
}

//! Rows as `write.sql` reads them: one struct per argument, named as its columns.

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::domain::{
    Amount, BookedService, Booking, BookingId, CancellationPolicy, Change, Date, Fact, FactId, Guest, HotelId, Night,
    NightDelta, RateNight, RatePlanId, Restriction, RoomType, RoomTypeId, Status,
};
use crate::store::{Attempt, Job};

#[derive(Serialize)]
pub(super) struct RoomTypeRow<'a> {
    #[serde(flatten)]
    pub room_type: &'a RoomType,
    /// The nights before it are history.
    pub today: Date,
}

#[derive(Serialize)]
pub(super) struct RateNightSettings {
    rate_plan_id: RatePlanId,
    date: Date,
    price: Option<Amount>,
    #[serde(flatten)]
    restriction: Restriction,
}

impl RateNightSettings {
    pub fn of((rate_plan_id, date): (RatePlanId, Date), rate: RateNight) -> Self {
        Self { rate_plan_id, date, price: rate.price, restriction: rate.restriction }
    }
}

/// A night without its counters: those belong to the bookings.
#[derive(Serialize)]
pub(super) struct NightSettings {
    room_type_id: RoomTypeId,
    date: Date,
    physical: Option<u16>,
    out_of_order: u16,
    allowance: Option<i16>,
    #[serde(flatten)]
    restriction: Restriction,
}

impl NightSettings {
    pub fn of((room_type_id, date): (RoomTypeId, Date), night: Night) -> Self {
        let Night { physical, out_of_order, allowance, restriction, .. } = night;
        Self { room_type_id, date, physical, out_of_order, allowance, restriction }
    }
}

#[derive(Serialize)]
pub(super) struct Resized {
    pub room_type_id: RoomTypeId,
    pub from: Date,
}

#[derive(Serialize)]
pub(super) struct Counted {
    room_type_id: RoomTypeId,
    date: Date,
    sold: i64,
    held: i64,
}

impl Counted {
    pub fn of((room_type_id, date): (RoomTypeId, Date), (sold, held): (i64, i64)) -> Self {
        Self { room_type_id, date, sold, held }
    }
}

#[derive(Serialize)]
pub(super) struct BookingRow<'a> {
    id: BookingId,
    hotel_id: HotelId,
    room_type_id: RoomTypeId,
    rate_plan_id: RatePlanId,
    status: &'static str,
    expires_at: Option<i64>,
    departed: Option<Date>,
    fee_minor: Option<Amount>,
    check_in: Date,
    check_out: Date,
    rooms: u16,
    prices: &'a [Amount],
    mobile: &'a str,
    email: Option<&'a str>,
    external_reference: Option<&'a str>,
    policy: &'a CancellationPolicy,
    currency: &'static str,
    created_at: i64,
    changed_at: i64,
    sequence: u64,
}

impl<'a> BookingRow<'a> {
    pub fn of(booking: &'a Booking) -> Self {
        let departed = match booking.status {
            Status::CheckedOut { departed } => Some(departed),
            _ => None,
        };
        Self {
            id: booking.id,
            hotel_id: booking.hotel_id,
            room_type_id: booking.room_type_id,
            rate_plan_id: booking.rate_plan_id,
            status: booking.status.name(),
            expires_at: booking.status.expires_at().map(|at| at.as_microsecond()),
            departed,
            fee_minor: booking.status.fee(),
            check_in: booking.stay.check_in(),
            check_out: booking.stay.check_out(),
            rooms: booking.rooms,
            prices: &booking.prices,
            mobile: booking.contact.mobile.as_str(),
            email: booking.contact.email.as_ref().map(|email| email.as_str()),
            external_reference: booking.external_reference.as_deref(),
            policy: &booking.policy,
            currency: booking.currency.code(),
            created_at: booking.created_at.as_microsecond(),
            changed_at: booking.changed_at.as_microsecond(),
            sequence: booking.sequence,
        }
    }
}

#[derive(Serialize)]
pub(super) struct GuestRow<'a> {
    booking_id: BookingId,
    position: usize,
    name: &'a str,
    age: u8,
}

impl<'a> GuestRow<'a> {
    pub fn all(booking: &'a Booking) -> impl Iterator<Item = Self> {
        let row = |(position, Guest { name, age }): (usize, &'a Guest)| Self {
            booking_id: booking.id,
            position,
            name,
            age: *age,
        };
        booking.guests.iter().enumerate().map(row)
    }
}

#[derive(Serialize)]
pub(super) struct ServiceRow<'a> {
    booking_id: BookingId,
    position: usize,
    #[serde(flatten)]
    service: &'a BookedService,
}

impl<'a> ServiceRow<'a> {
    pub fn all(booking: &'a Booking) -> impl Iterator<Item = Self> {
        let row = |(position, service)| Self { booking_id: booking.id, position, service };
        booking.services.iter().enumerate().map(row)
    }
}

#[derive(Serialize)]
pub(super) struct EventRow<'a> {
    room_type_id: RoomTypeId,
    sequence: u64,
    fact_id: FactId,
    at: i64,
    cause: &'static str,
    booking_id: Option<BookingId>,
    payload: Payload<'a>,
}

/// What an event tells. Of a booking only what it does to the calendar: whom it concerns is in the booking, where it
/// can be corrected and deleted.
#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Booking { status: &'static str, deltas: &'a [NightDelta] },
    Other(&'a Change),
}

impl<'a> EventRow<'a> {
    pub fn of(room_type_id: RoomTypeId, fact: &'a Fact) -> Self {
        let payload = match &fact.change {
            Change::Booking { booking, deltas, .. } => Payload::Booking { status: booking.status.name(), deltas },
            other @ (Change::Nights { .. } | Change::RoomType { .. } | Change::RatePlan { .. }) => {
                Payload::Other(other)
            }
        };
        Self {
            room_type_id,
            sequence: fact.sequence,
            fact_id: fact.id,
            at: fact.at.as_microsecond(),
            cause: fact.change.cause(),
            booking_id: fact.change.booking().map(|booking| booking.id),
            payload,
        }
    }
}

#[derive(Serialize)]
pub(super) struct AttemptRow<'a> {
    key: String,
    fingerprint: String,
    room_type_id: RoomTypeId,
    booking_id: BookingId,
    answer: &'a Booking,
    expires_at: i64,
}

impl<'a> AttemptRow<'a> {
    pub fn of(key: &[u8; 32], room_type_id: RoomTypeId, attempt: &'a Attempt) -> Self {
        Self {
            key: HEXLOWER.encode(key),
            fingerprint: HEXLOWER.encode(&attempt.fingerprint.0),
            room_type_id,
            booking_id: attempt.answer.id,
            answer: &attempt.answer,
            expires_at: attempt.expires_at.as_microsecond(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct JobRow<'a> {
    kind: &'static str,
    booking_id: BookingId,
    dedup_key: &'a str,
    next_at: i64,
}

impl<'a> JobRow<'a> {
    pub fn of(fact: &Fact, job: &'a Job) -> Self {
        Self { kind: job.kind, booking_id: job.booking, dedup_key: &job.dedup_key, next_at: fact.at.as_microsecond() }
    }
}

#[derive(Serialize)]
pub(super) struct Sequence {
    pub room_type_id: RoomTypeId,
    pub sequence: u64,
}

//! Rows to be written: one struct per table or step, with the columns as fields.

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

use super::prices::PricesColumn;
use crate::domain::{
    Amount, BookedService, Booking, BookingId, CancellationPolicy, Change, Date, Fact, FactId, Guest, HotelId, Job,
    JobPayload, Night, NightDelta, RateNight, RatePlan, RatePlanId, Restriction, RoomType, RoomTypeId, Status,
};
use crate::lease::Token;
use crate::store::{Answer, CommitEntry, IdempotencyRecord};

/// The rows of a batch, in the order that references and CHECKs of the schema need. Most lists are empty.
pub struct Rows<'a> {
    pub room_types: Vec<RoomTypeRow<'a>>,
    pub plans: Vec<&'a RatePlan>,
    pub rate_nights: Vec<RateNightSettings>,
    pub nights: Vec<NightSettings>,
    pub resized: Vec<Resized>,
    pub counted: Vec<Counted>,
    pub bookings: Vec<BookingRow<'a>>,
    /// Bookings whose guests and services are replaced.
    pub repeopled: Vec<BookingId>,
    pub guests: Vec<GuestRow<'a>>,
    pub services: Vec<ServiceRow<'a>>,
    pub events: Vec<EventRow<'a>>,
    pub idempotency: Vec<IdempotencyRow<'a>>,
    pub jobs: Vec<JobRow>,
    pub progress: Vec<Progress>,
}

#[derive(Serialize)]
pub struct RoomTypeRow<'a> {
    #[serde(flatten)]
    pub room_type: &'a RoomType,
    /// The hotel's date. Nights before it are history.
    pub today: Date,
}

impl<'a> RoomTypeRow<'a> {
    pub fn of(room_type: &'a RoomType, today: Date) -> Self {
        Self { room_type, today }
    }
}

#[derive(Serialize)]
pub struct RateNightSettings {
    pub rate_plan_id: RatePlanId,
    pub date: Date,
    pub price: Option<Amount>,
    #[serde(flatten)]
    pub restriction: Restriction,
}

impl RateNightSettings {
    pub fn of((rate_plan_id, date): (RatePlanId, Date), rate: RateNight) -> Self {
        Self { rate_plan_id, date, price: rate.price, restriction: rate.restriction }
    }
}

/// The settings of a night. Its counters belong to the bookings.
#[derive(Serialize)]
pub struct NightSettings {
    pub room_type_id: RoomTypeId,
    pub date: Date,
    pub physical: Option<u16>,
    pub out_of_order: u16,
    pub allowance: Option<i16>,
    /// Rooms beyond the capacity that a forced reduction leaves taken.
    pub forced: u16,
    #[serde(flatten)]
    pub restriction: Restriction,
}

impl NightSettings {
    pub fn of((room_type_id, date): (RoomTypeId, Date), night: Night) -> Self {
        let Night { physical, out_of_order, allowance, forced, restriction, .. } = night;
        Self { room_type_id, date, physical, out_of_order, allowance, forced, restriction }
    }
}

#[derive(Serialize)]
pub struct Resized {
    pub room_type_id: RoomTypeId,
    pub from: Date,
}

#[derive(Serialize)]
pub struct Counted {
    pub room_type_id: RoomTypeId,
    pub date: Date,
    pub sold: i64,
    pub held: i64,
}

impl Counted {
    pub fn of((room_type_id, date): (RoomTypeId, Date), (sold, held): (i64, i64)) -> Self {
        Self { room_type_id, date, sold, held }
    }
}

#[derive(Serialize)]
pub struct BookingRow<'a> {
    /// Whether the booking is new in this batch.
    #[serde(skip)]
    pub is_new: bool,
    pub id: BookingId,
    pub hotel_id: HotelId,
    pub room_type_id: RoomTypeId,
    pub rate_plan_id: RatePlanId,
    pub status: &'static str,
    pub expires_at: Option<i64>,
    pub departed: Option<Date>,
    pub fee_minor: Option<Amount>,
    pub check_in: Date,
    pub check_out: Date,
    pub rooms: u16,
    pub prices: PricesColumn<'a>,
    pub mobile: &'a str,
    pub email: Option<&'a str>,
    pub external_reference: Option<&'a str>,
    pub policy: &'a CancellationPolicy,
    pub currency: &'static str,
    pub created_at: i64,
    pub changed_at: i64,
    pub sequence: u64,
}

impl<'a> BookingRow<'a> {
    pub fn of(booking: &'a Booking, is_new: bool) -> Self {
        let departed = match booking.status {
            Status::CheckedOut { departed } => Some(departed),
            Status::NoShow { kept_until, .. } => kept_until,
            _ => None,
        };
        Self {
            is_new,
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
            prices: PricesColumn::of(booking),
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
pub struct GuestRow<'a> {
    pub booking_id: BookingId,
    pub position: i32,
    pub name: &'a str,
    pub age: u8,
}

impl<'a> GuestRow<'a> {
    pub fn all(booking: &'a Booking) -> impl Iterator<Item = Self> {
        let row = |(position, Guest { name, age }): (i32, &'a Guest)| Self {
            booking_id: booking.id,
            position,
            name,
            age: *age,
        };
        (0..).zip(&booking.guests).map(row)
    }
}

#[derive(Serialize)]
pub struct ServiceRow<'a> {
    pub booking_id: BookingId,
    pub position: i32,
    #[serde(flatten)]
    pub service: &'a BookedService,
}

impl<'a> ServiceRow<'a> {
    pub fn all(booking: &'a Booking) -> impl Iterator<Item = Self> {
        let row = |(position, service)| Self { booking_id: booking.id, position, service };
        (0..).zip(&booking.services).map(row)
    }
}

#[derive(Serialize)]
pub struct EventRow<'a> {
    pub room_type_id: RoomTypeId,
    pub sequence: u64,
    pub fact_id: FactId,
    pub at: i64,
    pub cause: &'static str,
    pub booking_id: Option<BookingId>,
    pub payload: Payload<'a>,
}

/// The payload of an event. For a booking it has only the change of the calendar: the guest's data stays in the
/// booking, where it can be corrected and deleted.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Payload<'a> {
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
pub struct IdempotencyRow<'a> {
    #[serde(serialize_with = "in_hexadecimal")]
    pub key: [u8; 32],
    #[serde(serialize_with = "in_hexadecimal")]
    pub fingerprint: [u8; 32],
    pub kind: &'a str,
    pub answer: &'a Answer,
    pub expires_at: i64,
}

impl<'a> IdempotencyRow<'a> {
    pub fn of(key: [u8; 32], record: &'a IdempotencyRecord) -> Self {
        Self {
            key,
            fingerprint: record.fingerprint.0,
            kind: record.answer.kind(),
            answer: &record.answer,
            expires_at: record.expires_at.as_microsecond(),
        }
    }
}

fn in_hexadecimal<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&HEXLOWER.encode_display(bytes))
}

/// A job, ready at once.
#[derive(Serialize)]
pub struct JobRow {
    pub kind: &'static str,
    pub tenant: Option<HotelId>,
    pub payload: JobPayload,
    pub priority: i16,
    pub max_attempts: i32,
    pub dedup_key: String,
    /// Time of the fact that caused it.
    pub at: i64,
}

impl JobRow {
    pub fn of(fact: &Fact, job: &Job) -> Self {
        Self {
            kind: job.kind.name(),
            tenant: job.tenant,
            payload: job.payload,
            priority: job.kind.priority(),
            max_attempts: job.kind.max_attempts(),
            dedup_key: job.dedup_key(),
            at: fact.at.as_microsecond(),
        }
    }
}

/// The progress of a room type in a batch.
#[derive(Clone, Copy, Serialize)]
pub struct Progress {
    pub room_type_id: RoomTypeId,
    /// The token of its owner, and the sequence number before the batch.
    #[serde(skip)]
    pub token: Token,
    #[serde(skip)]
    pub before: u64,
    /// Sequence number of its last fact in the batch.
    pub sequence: u64,
}

impl Progress {
    /// The progress by one entry.
    pub fn to(entry: &CommitEntry) -> Self {
        let (room_type_id, sequence) = (entry.room_type, entry.fact.sequence);
        Self { room_type_id, token: entry.token, before: entry.after(), sequence }
    }

    /// Whether an entry follows directly.
    pub fn leads_to(&self, entry: &CommitEntry) -> bool {
        entry.token == self.token && entry.after() == self.sequence
    }
}

//! The JSON of a booking.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::booking::Status;
use crate::domain::{
    Amount, BookedService, Booking, BookingId, CancellationPolicy, Contact, Guest, HotelId, RatePlanId, RoomTypeId,
    ServiceId, Tier, Timestamp,
};
use crate::http::access::Access;
use crate::http::names::BookingStatus;
use crate::http::rate_plans::policy::FeeBody;
use crate::http::services::body::Basis;
use crate::http::value::Day;

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingView {
    #[schema(value_type = uuid::Uuid)]
    id: BookingId,
    #[schema(value_type = BookingStatus)]
    status: &'static str,
    /// The bearer token of this booking. It allows reading, changing and cancelling the booking.
    manage_token: String,
    #[schema(value_type = uuid::Uuid)]
    hotel_id: HotelId,
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    checkin_date: Day,
    checkout_date: Day,
    rooms: u16,
    num_guests: usize,
    guests: Vec<GuestView>,
    services: Vec<ServiceLine>,
    contact: ContactView,
    external_reference: Option<String>,
    nights: Vec<NightPrice>,
    /// The prices of all rooms. Rooms that were sold together form a group. Earlier groups come first.
    room_groups: Vec<RoomGroup>,
    /// The price of all nights of all rooms and of all services, in minor units.
    #[schema(value_type = i64, maximum = 9_007_199_254_740_991_i64)]
    total_minor: Amount,
    /// The fee charged for the cancellation or the no-show.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    fee_minor: Option<Amount>,
    currency: &'static str,
    /// The version of the booking. The ETag has the same value.
    sequence: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// When the hold expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    cancellation_policy: PolicyView,
}

/// A guest of a booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guest)]
pub struct GuestView {
    name: String,
    age: u8,
}

/// A service of a booking, with the price at which it was sold.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLine {
    #[schema(value_type = uuid::Uuid)]
    service_id: ServiceId,
    name: String,
    basis: Basis,
    #[schema(value_type = i64)]
    unit_price_minor: Amount,
    quantity: u16,
    /// Unit price × quantity × the count of the basis (stays, nights, persons or person nights).
    #[schema(value_type = i64)]
    amount_minor: Amount,
}

/// The contact details of the person who booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contact)]
pub struct ContactView {
    mobile: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// The price of a night at the time of sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightPrice {
    date: Day,
    /// The price of one room. If rooms were added later: of one room of the first group.
    #[schema(value_type = i64)]
    price_minor: Amount,
}

/// Rooms that were sold together.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomGroup {
    rooms: u16,
    /// The price of one room for each night.
    #[schema(value_type = Vec<i64>)]
    nights_minor: Vec<Amount>,
}

/// The cancellation policy at the time of sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CancellationPolicy)]
pub struct PolicyView {
    refundable: bool,
    tiers: Vec<SoldTier>,
    /// The fee for a cancellation after the last deadline.
    late_cancellation_fee: FeeBody,
    no_show_fee: FeeBody,
}

/// The fee for a cancellation up to a deadline.
#[derive(Debug, Serialize, ToSchema)]
pub struct SoldTier {
    hours_before_check_in: u32,
    /// The deadline at the time of sale, inclusive. Later settings of the hotel do not move it. Absent if an older
    /// version of the server sold the booking: then the deadline counts back from the hotel's check-in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    fee: FeeBody,
}

impl BookingView {
    pub fn of(booking: &Booking, access: &Access) -> Self {
        Self {
            id: booking.id,
            status: Status::name(booking.status),
            manage_token: access.manage_token(booking.id),
            hotel_id: booking.hotel_id,
            room_type_id: booking.room_type_id,
            rate_plan_id: booking.rate_plan_id,
            checkin_date: Day(booking.stay.check_in()),
            checkout_date: Day(booking.stay.check_out()),
            rooms: booking.rooms,
            num_guests: booking.guests.len(),
            guests: booking.guests.iter().map(GuestView::from).collect(),
            services: booking.services.iter().map(ServiceLine::from).collect(),
            contact: ContactView::from(&booking.contact),
            external_reference: booking.external_reference.clone(),
            nights: nights(booking),
            room_groups: booking.room_groups().map(RoomGroup::from).collect(),
            total_minor: booking.total(),
            fee_minor: booking.status.fee(),
            currency: booking.currency.code(),
            sequence: booking.sequence,
            created_at: booking.created_at,
            changed_at: booking.changed_at,
            expires_at: booking.status.expires_at(),
            cancellation_policy: PolicyView::from(&booking.policy),
        }
    }
}

fn nights(booking: &Booking) -> Vec<NightPrice> {
    let priced = booking.stay.dates().zip(&booking.prices);
    priced.map(|(date, price)| NightPrice { date: Day(date), price_minor: *price }).collect()
}

impl From<(u16, &[Amount])> for RoomGroup {
    fn from((rooms, prices): (u16, &[Amount])) -> Self {
        Self { rooms, nights_minor: prices.to_vec() }
    }
}

impl From<&Guest> for GuestView {
    fn from(guest: &Guest) -> Self {
        Self { name: guest.name.clone(), age: guest.age }
    }
}

impl From<&BookedService> for ServiceLine {
    fn from(service: &BookedService) -> Self {
        Self {
            service_id: service.service_id,
            name: service.name.clone(),
            basis: service.basis.into(),
            unit_price_minor: service.unit_price,
            quantity: service.quantity,
            amount_minor: service.amount,
        }
    }
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        let email = contact.email.as_ref().map(|email| email.as_str().to_owned());
        Self { mobile: contact.mobile.as_str().to_owned(), email }
    }
}

impl From<&CancellationPolicy> for PolicyView {
    fn from(policy: &CancellationPolicy) -> Self {
        Self {
            refundable: !policy.tiers().is_empty(),
            tiers: policy.tiers().iter().map(SoldTier::from).collect(),
            late_cancellation_fee: policy.late_fee().into(),
            no_show_fee: policy.no_show.into(),
        }
    }
}

impl From<&Tier> for SoldTier {
    fn from(tier: &Tier) -> Self {
        Self { hours_before_check_in: tier.hours_before_check_in, until: tier.sold_until(), fee: tier.fee.into() }
    }
}

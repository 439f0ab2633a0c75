//! Bookings: order, read, change, confirm, cancel, check in, check out.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Request};
use crate::domain::{Date, Timestamp};

/// Rooms for a stay.
#[derive(Debug, Clone, Serialize)]
pub struct NewBooking {
    pub room_type_id: Uuid,
    /// Needed where several plans sell the stay, unless `rate_plan` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_plan: Option<PlanWord>,
    /// The first night.
    pub checkin_date: Date,
    /// The day after the last night.
    pub checkout_date: Date,
    pub rooms: u16,
    /// As many as `guests` names.
    pub num_guests: usize,
    pub guests: Vec<Guest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceOrder>,
    pub contact: Contact,
    /// Keeps the rooms for a while. Confirm the hold before it expires.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
}

/// A rate plan that the server chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanWord {
    Cheapest,
}

/// A guest of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    pub name: String,
    /// In years, on arrival.
    pub age: u8,
}

/// Units of a service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceOrder {
    pub service_id: Uuid,
    pub quantity: u16,
}

/// The contact details of the person who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// With `+` and country code.
    pub mobile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A change of a booking. Members without a value stay as they are.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BookingChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkin_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms: Option<u16>,
    /// All guests, in place of those of the booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<Vec<Guest>>,
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Booking {
    pub id: Uuid,
    /// Such as `held`, `confirmed` or `cancelled`.
    pub status: String,
    /// The bearer token that reads, changes and cancels this booking. Keep it secret.
    pub manage_token: String,
    pub hotel_id: Uuid,
    pub room_type_id: Uuid,
    pub rate_plan_id: Uuid,
    pub checkin_date: Date,
    pub checkout_date: Date,
    pub rooms: u16,
    pub guests: Vec<Guest>,
    pub contact: Contact,
    /// All nights of all rooms, and services, in minor units.
    pub total_minor: i64,
    /// The fee for cancelling or for a no-show.
    #[serde(default)]
    pub fee_minor: Option<i64>,
    pub currency: String,
    /// The booking's version.
    pub sequence: u64,
    /// The end of a hold.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl NewBooking {
    /// A booking of one room by the only rate plan that sells the stay.
    pub fn new(room_type: Uuid, [checkin_date, checkout_date]: [Date; 2], guests: Vec<Guest>, mobile: &str) -> Self {
        Self {
            room_type_id: room_type,
            rate_plan_id: None,
            rate_plan: None,
            checkin_date,
            checkout_date,
            rooms: 1,
            num_guests: guests.len(),
            guests,
            services: Vec::new(),
            contact: Contact { mobile: mobile.to_owned(), email: None },
            hold: false,
            external_reference: None,
        }
    }
}

impl Client {
    /// Books rooms, or holds them.
    pub fn book(&self, order: &NewBooking) -> Request<'_, Booking> {
        self.write(Method::POST, "/v1/bookings".to_owned()).json(order)
    }

    /// Reads a booking. Needs its manage token.
    pub fn booking(&self, id: Uuid) -> Request<'_, Booking> {
        self.read(format!("/v1/bookings/{id}"))
    }

    /// Changes dates, rooms or guests. Needs the manage token.
    pub fn amend(&self, id: Uuid, change: &BookingChange) -> Request<'_, Booking> {
        self.write(Method::PATCH, format!("/v1/bookings/{id}")).json(change)
    }

    /// Turns a hold into a booking. Needs the manage token.
    pub fn confirm(&self, id: Uuid) -> Request<'_, Booking> {
        self.act(id, "confirm")
    }

    /// Cancels a booking. Needs the manage token.
    pub fn cancel(&self, id: Uuid) -> Request<'_, Booking> {
        self.act(id, "cancel")
    }

    /// Checks the guests in. Needs the administrator's token.
    pub fn check_in(&self, id: Uuid) -> Request<'_, Booking> {
        self.act(id, "check-in")
    }

    /// Checks the guests out. Needs the administrator's token.
    pub fn check_out(&self, id: Uuid) -> Request<'_, Booking> {
        self.act(id, "check-out")
    }

    fn act(&self, id: Uuid, act: &str) -> Request<'_, Booking> {
        self.write(Method::POST, format!("/v1/bookings/{id}/{act}"))
    }
}

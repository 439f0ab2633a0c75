//! The API as a stranger knows it: addresses, bodies, and what an answer means.

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::remote::Remote;
use crate::domain::Date;

/// Names and a number for guests who do not exist.
const GUEST: &str = "Storm Petrel";
const MOBILE: &str = "+351912345678";

/// One server, as guests use it.
pub struct Api {
    pub remote: Remote,
}

/// Something a guest sends.
#[derive(Debug, Clone)]
pub enum Request {
    Search { city: String, nights: Nights },
    Look { room_type: Uuid, nights: Nights },
    Read { booking: Uuid, token: String },
    Book { key: Uuid, order: Order },
    Amend { key: Uuid, booking: Uuid, token: String, nights: Nights },
    Cancel { key: Uuid, booking: Uuid, token: String },
}

/// The nights [from, to).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nights {
    pub from: Date,
    pub to: Date,
}

/// Rooms for a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub room_type: Uuid,
    pub nights: Nights,
    pub rooms: u16,
    pub guests: u16,
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// It was done. With the booking, if it was about one.
    Accepted(Option<Booking>),
    /// The rules, or somebody who was faster, said no.
    Refused,
    /// The server is there and could not, or would not hear of it.
    Failed(StatusCode),
    /// No answer, or none that can be understood.
    Lost,
}

/// A booking, as far as a storm cares.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Booking {
    pub id: Uuid,
    pub status: String,
    pub manage_token: String,
    pub room_type_id: Uuid,
    pub checkin_date: Date,
    pub checkout_date: Date,
    pub rooms: u16,
}

impl Api {
    /// Sends what a guest wants.
    pub async fn send(&self, request: &Request) -> Answer {
        let Ok(response) = self.request(request).send().await else { return Answer::Lost };
        let status = response.status();
        let Ok(body) = response.bytes().await else { return Answer::Lost };
        let is_about_a_booking = !matches!(request, Request::Search { .. } | Request::Look { .. });
        match status {
            _ if status.is_success() && !is_about_a_booking => Answer::Accepted(None),
            _ if status.is_success() => match serde_json::from_slice(&body) {
                Ok(booking) => Answer::Accepted(Some(booking)),
                Err(_) => Answer::Lost,
            },
            StatusCode::CONFLICT | StatusCode::GONE | StatusCode::PRECONDITION_FAILED => Answer::Refused,
            StatusCode::UNPROCESSABLE_ENTITY => Answer::Refused,
            _ => Answer::Failed(status),
        }
    }

    fn request(&self, request: &Request) -> RequestBuilder {
        let to = |method, path: String| self.remote.request(method, &path);
        match request {
            Request::Search { city, nights } => {
                let (from, until) = (nights.from.to_string(), nights.to.to_string());
                let query = [("city", city), ("checkin_date", &from), ("checkout_date", &until)];
                to(Method::GET, "/v1/search".into()).query(&query)
            }
            Request::Look { room_type, nights } => {
                let query = [("from", nights.from.to_string()), ("to", nights.to.to_string())];
                to(Method::GET, format!("/v1/room-types/{room_type}/availability")).query(&query)
            }
            Request::Read { booking, token } => {
                to(Method::GET, format!("/v1/bookings/{booking}")).header(AUTHORIZATION, bearer(token))
            }
            Request::Book { key, order } => {
                to(Method::POST, "/v1/bookings".into()).header(KEY, key.to_string()).json(&order.body())
            }
            Request::Amend { key, booking, token, nights } => {
                let dates = json!({"checkin_date": nights.from, "checkout_date": nights.to});
                let to = to(Method::PATCH, format!("/v1/bookings/{booking}")).header(AUTHORIZATION, bearer(token));
                to.header(KEY, key.to_string()).json(&dates)
            }
            Request::Cancel { key, booking, token } => {
                let to = to(Method::POST, format!("/v1/bookings/{booking}/cancel")).header(KEY, key.to_string());
                to.header(AUTHORIZATION, bearer(token))
            }
        }
    }
}

const KEY: &str = "Idempotency-Key";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Answer {
    /// Whether it leaves open what became of a request; any other answer is the end of it.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Accepted(_) | Self::Refused => false,
            Self::Failed(status) => {
                status.is_server_error()
                    || matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            }
            Self::Lost => true,
        }
    }
}

impl Nights {
    /// So many nights from a date on.
    pub fn from(from: Date, nights: usize) -> Self {
        let days = i64::try_from(nights).unwrap_or(i64::MAX);
        Self { from, to: from.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default()) }
    }
}

impl Request {
    /// Whether it changes something, so that an answer that got lost leaves a question.
    pub const fn writes(&self) -> bool {
        matches!(self, Self::Book { .. } | Self::Amend { .. } | Self::Cancel { .. })
    }
}

impl Order {
    fn body(&self) -> Value {
        let guests: Vec<_> = (0..self.guests).map(|_| json!({"name": GUEST, "age": 40})).collect();
        json!({
            "room_type_id": self.room_type,
            "rate_plan": "cheapest",
            "checkin_date": self.nights.from,
            "checkout_date": self.nights.to,
            "rooms": self.rooms,
            "num_guests": self.guests,
            "guests": guests,
            "contact": {"mobile": MOBILE},
        })
    }
}

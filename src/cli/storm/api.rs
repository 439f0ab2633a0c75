//! The requests of a storm, and the classes of its answers.

use serde::Deserialize;
use uuid::Uuid;

use crate::client::{self, BookingChange, Client, NewBooking, PlanWord, Search, StatusCode};
use crate::domain::Date;

/// Name, age and phone number of every guest.
const GUEST: &str = "Storm Petrel";
const AGE: u8 = 40;
const MOBILE: &str = "+351912345678";

/// The server under load.
pub struct Api {
    pub client: Client,
}

/// A request of a guest.
#[derive(Debug, Clone)]
pub enum Request {
    Search(Search),
    Availability { room_type: Uuid, nights: Nights },
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

/// The class of an answer.
#[derive(Debug)]
pub enum Answer {
    /// The request succeeded. Requests about a booking are answered with it.
    Accepted(Option<Booking>),
    /// The rules refuse the request, or another guest was faster.
    Refused,
    /// The server failed, or refused the request for another reason.
    Failed(StatusCode),
    /// No answer, or none that can be read.
    Lost,
}

/// The members of a booking that a storm needs. Fewer members cost less time.
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
    /// Sends a request once. Guests repeat their writes by themselves, so that every attempt is measured.
    pub async fn send(&self, request: &Request) -> Answer {
        let client = &self.client;
        match request {
            Request::Search(search) => found(client.search(search)).await,
            Request::Availability { room_type, nights } => {
                found(client.availability(*room_type, nights.from, nights.to)).await
            }
            Request::Read { booking, token } => booked(client.booking(*booking).token(token)).await,
            Request::Book { key, order } => booked(client.book(&order.body()).key(key)).await,
            Request::Amend { key, booking, token, nights } => {
                booked(client.amend(*booking, &nights.change()).key(key).token(token)).await
            }
            Request::Cancel { key, booking, token } => booked(client.cancel(*booking).key(key).token(token)).await,
        }
    }
}

/// The answer to a request that is not about one booking. Its body is not parsed.
async fn found<T>(request: client::Request<'_, T>) -> Answer {
    match request.exchange().await {
        Ok(answer) if answer.status.is_success() => Answer::Accepted(None),
        Ok(answer) => Answer::of_status(answer.status),
        Err(_) => Answer::Lost,
    }
}

/// The answer to a request about a booking.
async fn booked(request: client::Request<'_, client::Booking>) -> Answer {
    match request.reading::<Booking>().exchange().await {
        Ok(answer) if answer.status.is_success() => match answer.value() {
            Ok(booking) => Answer::Accepted(Some(booking)),
            Err(_) => Answer::Lost,
        },
        Ok(answer) => Answer::of_status(answer.status),
        Err(_) => Answer::Lost,
    }
}

impl Answer {
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::CONFLICT | StatusCode::GONE | StatusCode::PRECONDITION_FAILED => Self::Refused,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Refused,
            _ => Self::Failed(status),
        }
    }

    /// Whether the outcome of the request is unknown after this answer.
    pub fn is_unknown_outcome(&self) -> bool {
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

    fn change(self) -> BookingChange {
        BookingChange { checkin_date: Some(self.from), checkout_date: Some(self.to), ..BookingChange::default() }
    }
}

impl Request {
    /// Whether the request changes something. After a lost answer its outcome is unknown.
    pub const fn is_write(&self) -> bool {
        matches!(self, Self::Book { .. } | Self::Amend { .. } | Self::Cancel { .. })
    }
}

impl Order {
    fn body(&self) -> NewBooking {
        let guest = || client::Guest { name: GUEST.to_owned(), age: AGE };
        let guests = (0..self.guests).map(|_| guest()).collect();
        let Nights { from, to } = self.nights;
        let order = NewBooking::new(self.room_type, [from, to], guests, MOBILE);
        NewBooking { rooms: self.rooms, rate_plan: Some(PlanWord::Cheapest), ..order }
    }
}

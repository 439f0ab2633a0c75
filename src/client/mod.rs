//! A typed client of the HTTP API and of the WebSocket stream.
//!
//! Owns the requests and answers of the API as a caller sees them, problem documents as a typed error, and the retries.
//! Called by `innkeeper storm`, `watch` and `ready`, by integration tests and by the programs in `examples/`. It uses the
//! public API only: it never opens a database and never calls the engine.
//!
//! ```no_run
//! # async fn example(order: innkeeper::client::NewBooking) -> Result<(), innkeeper::client::Error> {
//! let client = innkeeper::client::Client::at("http://127.0.0.1:8080")?;
//! let booking = client.book(&order).send().await?;
//! client.cancel(booking.id).token(&booking.manage_token).send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Invariant: a write carries an `Idempotency-Key`, and every repeat of it carries the same key. So a repeat has no second
//! effect. [`Request::send`] repeats a request when the server does not answer, or answers that it cannot answer now. It
//! waits at least as long as `Retry-After` says. [`Request::exchange`] sends once and gives the answer as it is.
//!
//! Limits: [`ATTEMPTS`] attempts, [`LONGEST_PAUSE`] between two of them, [`TIMEOUT`] for each, [`request::MAX_BODY`] bytes
//! for an answer, [`live::MESSAGE_BYTES`] for a WebSocket message. It speaks plain HTTP only.
//!
//! To add an operation, add a method that returns a [`Request`] beside the types that it sends and reads.

mod availability;
mod bookings;
mod catalogue;
mod error;
mod events;
pub mod live;
mod problem;
pub mod projection;
pub mod request;
mod search;
#[cfg(test)]
pub mod testing;

use std::time::Duration;

use backon::ExponentialBuilder;
use reqwest::{ClientBuilder, Method, Url};
use serde::Deserialize;

pub use self::availability::{Availability, Night};
pub use self::bookings::{Booking, BookingChange, Contact, Guest, NewBooking, PlanWord, ServiceOrder};
pub use self::catalogue::{Hotel, RoomType};
pub use self::error::Error;
pub use self::events::{Event, EventPage};
pub use self::live::{Live, Subscription, Watched};
pub use self::problem::{FailingNight, FieldError, Problem};
pub use self::projection::Projection;
pub use self::request::{Answer, Request};
pub use self::search::{HotelSummary, Offer, OfferedPlan, RoomTypeOffer, Search};
pub use reqwest::StatusCode;

/// How often a request is sent, unless the caller says otherwise.
pub const ATTEMPTS: usize = 5;
/// The first pause before a repeat. Each further pause is about twice as long.
pub const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause before a repeat. When `Retry-After` asks for more, the request fails at once.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After this time an attempt counts as not answered.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a server on this machine that is only asked for its state.
const TIMEOUT_NEARBY: Duration = Duration::from_secs(2);

/// A client of one server. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    attempts: usize,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Send it as [`Request::cursor`] to read the next page. The last page has none.
    pub next_cursor: Option<String>,
}

impl Client {
    /// A client of the server at `http://host:port`.
    pub fn at(url: &str) -> Result<Self, Error> {
        Self::over(url, reqwest::Client::builder().timeout(TIMEOUT))
    }

    /// A client of a server on this machine: it uses no proxy, has a short time-out and sends each request once.
    pub fn nearby(url: &str) -> Result<Self, Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT_NEARBY);
        Ok(Self::over(url, http)?.with_attempts(1))
    }

    fn over(url: &str, http: ClientBuilder) -> Result<Self, Error> {
        let base = Url::parse(url).map_err(|_| Error::NotAnAddress(url.to_owned()))?;
        if base.scheme() != "http" || base.host().is_none() {
            return Err(Error::NotPlainHttp(url.to_owned()));
        }
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http: http.build().map_err(Error::Start)?, base, token: None, attempts: ATTEMPTS })
    }

    /// The same client with a bearer token for every request that has none of its own.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// The same client with a limit of attempts. With 1 it repeats nothing.
    pub fn with_attempts(self, attempts: usize) -> Self {
        Self { attempts, ..self }
    }

    /// Asks whether the server takes requests now.
    pub fn ready(&self) -> Request<'_, serde_json::Value> {
        self.read("/readyz".to_owned())
    }

    /// A request that changes nothing.
    fn read<T>(&self, path: String) -> Request<'_, T> {
        Request::new(self, Method::GET, &path, false)
    }

    /// A request that changes something. It carries an idempotency key.
    fn write<T>(&self, method: Method, path: String) -> Request<'_, T> {
        Request::new(self, method, &path, true)
    }

    /// The address of a path, for HTTP or for WebSocket.
    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn pauses(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_with_or_without_a_slash() {
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            assert_eq!(Client::at(url).ok().unwrap().address("/v1/ws"), "http://127.0.0.1:8080/v1/ws");
        }
        for url in ["127.0.0.1:8080", "https://example.com", "ftp://example.com", "http://"] {
            assert!(Client::at(url).is_err(), "{url}");
        }
    }
}

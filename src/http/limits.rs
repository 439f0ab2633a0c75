//! Limits on requests, in bytes and characters, and the read of a body that keeps to its limit.
//!
//! Limits of connections are in [`super::connection`], those of callers in [`super::throttle`], those of lists in
//! [`super::page`].

use std::io::ErrorKind;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};

use super::code::Code;
use super::problem::Problem;
use super::value::MAX_FORCE;
use crate::domain::Guest;
use crate::domain::order::{MAX_GUESTS, MAX_SERVICES};

/// The longest path with its query, in bytes.
pub const MAX_URI: usize = 8 * 1024;
/// All headers of a request together, in bytes.
pub const MAX_HEADERS: usize = 16 * 1024;
/// The longest idempotency key, in characters.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;
/// Items of one bulk change of nights.
pub const MAX_NIGHTS_ITEMS: usize = 1_000;

/// The largest body, in bytes, of an endpoint that sets no limit of its own.
pub const MAX_BODY: usize = 64 * 1024;
/// The largest body of a booking, in bytes: the most guests and services fit, however the client formats them.
pub const MAX_BOOKING_BODY: usize =
    MAX_BODY + MAX_GUESTS * (json_text(Guest::MAX_NAME) + LIST_ITEM) + MAX_SERVICES * LIST_ITEM;
/// The largest body of a bulk change of nights, in bytes: the most items fit, however the client formats them.
pub const MAX_NIGHTS_BODY: usize = MAX_NIGHTS_ITEMS * (NIGHTS_ITEM + json_text(MAX_FORCE));
/// The largest body that any endpoint accepts, in bytes.
pub const LARGEST_BODY: usize = if MAX_NIGHTS_BODY > MAX_BOOKING_BODY { MAX_NIGHTS_BODY } else { MAX_BOOKING_BODY };

/// Bytes of a guest or a service beside its text, with line breaks and indentation.
const LIST_ITEM: usize = 160;
/// Bytes of an item of a bulk change of nights beside its text, with line breaks and indentation.
const NIGHTS_ITEM: usize = 1_024;
/// How long a client may take to send a body.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The most bytes of a text of this length in JSON. A client may write each one as two escapes, `\ud83d\ude00`.
const fn json_text(characters: usize) -> usize {
    characters * 12
}

/// Reads a body to its end, within `max` bytes and 30 seconds.
pub async fn read_body(payload: Result<Payload, actix_web::Error>, max: usize) -> Result<Bytes, Problem> {
    let broken = |error: actix_web::Error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Io(error)) if error.kind() == ErrorKind::TimedOut => Problem::of(Code::BodyTimeout),
        _ => Problem::new(Code::MalformedRequest, "The body could not be read to its end."),
    };
    let reading = tokio::time::timeout(BODY_WITHIN, payload.map_err(broken)?.to_bytes_limited(max));
    let read = reading.await.map_err(|_| Problem::of(Code::BodyTimeout))?;
    read.map_err(|_| body_too_large(max))?.map_err(broken)
}

/// The problem of a body that is larger than `max` bytes.
pub fn body_too_large(max: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("The body must have at most {max} bytes."))
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_times_out() {
        let mut endless: actix_web::dev::Payload =
            actix_web::dev::Payload::Stream { payload: Box::pin(futures_util::stream::pending()) };
        let payload = Payload::from_request(&TestRequest::default().to_http_request(), &mut endless).into_inner();
        assert_eq!(read_body(payload, MAX_BODY).await.unwrap_err().code(), Code::BodyTimeout);
    }
}

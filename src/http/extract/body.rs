//! JSON bodies: limited, strict, and remembered in a canonical form for idempotency keys.

use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pointer;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// The largest body, in bytes, unless an address says otherwise. A body with long lists has a limit that its longest lists
/// fit into.
pub const LIMIT: usize = 64 * 1024;

/// The most bytes that so many characters of text take in JSON: a client may write each as two escapes, `\ud83d\ude00`.
pub const fn text(characters: usize) -> usize {
    characters * 12
}

/// How long a client may take to send a body.
const WITHIN: Duration = Duration::from_secs(30);

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A JSON body of at most `MAX` bytes.
#[derive(Debug)]
pub struct Body<T, const MAX: usize = LIMIT> {
    pub value: T,
    bytes: Bytes,
}

/// No body, or an empty object: for moves that need no words.
#[derive(Debug)]
pub struct NoBody;

/// Nothing is known, so nothing may be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T, const MAX: usize> Body<T, MAX> {
    /// The body without its accidents: no spaces, members in order. Equal requests have equal canonical bodies.
    pub fn canonical(&self) -> Vec<u8> {
        let value: serde_json::Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        value.to_string().into_bytes()
    }
}

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Body<T, MAX> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, MAX).and_then(|()| check_type(request));
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            checked?;
            let bytes = read(payload, MAX).await?;
            Ok(Self { value: parse(&bytes)?, bytes })
        })
    }
}

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, LIMIT);
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            checked?;
            let bytes = read(payload, LIMIT).await?;
            if !bytes.is_empty() {
                parse::<Nothing>(&bytes)?;
            }
            Ok(Self)
        })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    pointer::from_json(bytes).map_err(|error| match error {
        pointer::Error::Malformed(why) => Problem::new(Code::MalformedJson, format!("The body is not JSON: {why}.")),
        pointer::Error::Violation(violation) => violation.into(),
    })
}

/// Refuses before reading what is announced as too large or packed.
fn check_headers(request: &HttpRequest, max: usize) -> Result<(), Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max as u64) {
        return Err(too_large(max));
    }
    let packed = request.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    match packed {
        true => Err(Problem::new(Code::UnsupportedMediaType, "The body must not be compressed.")),
        false => Ok(()),
    }
}

fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let known = ["application/json", "application/merge-patch+json"];
    match known.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        true => Ok(()),
        false => Err(Problem::new(Code::UnsupportedMediaType, "Content-Type must be application/json.")),
    }
}

/// Reads a body to its end.
pub async fn read(payload: Result<web::Payload, actix_web::Error>, max: usize) -> Result<Bytes, Problem> {
    let broken = |error: actix_web::Error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Io(error)) if error.kind() == ErrorKind::TimedOut => Problem::of(Code::BodyTimeout),
        _ => Problem::new(Code::MalformedRequest, "The body could not be read to its end."),
    };
    let reading = tokio::time::timeout(WITHIN, payload.map_err(broken)?.to_bytes_limited(max));
    let read = reading.await.map_err(|_| Problem::of(Code::BodyTimeout))?;
    read.map_err(|_| too_large(max))?.map_err(broken)
}

fn too_large(max: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("The body must have at most {max} bytes."))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let mut endless: Payload = Payload::Stream { payload: Box::pin(futures_util::stream::pending()) };
        let payload = web::Payload::from_request(&TestRequest::default().to_http_request(), &mut endless).into_inner();
        assert_eq!(read(payload, LIMIT).await.unwrap_err().code(), Code::BodyTimeout);
    }
}

//! JSON bodies: limited in size, parsed strictly, with a canonical form for idempotency keys.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pointer;
use crate::http::code::Code;
use crate::http::limits::{MAX_BODY, body_too_large, read_body};
use crate::http::problem::Problem;

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A JSON body of at most `MAX` bytes.
#[derive(Debug)]
pub struct Body<T, const MAX: usize = MAX_BODY> {
    pub value: T,
    bytes: Bytes,
}

/// No body, or an empty object.
#[derive(Debug)]
pub struct NoBody;

/// An object without members: every member is refused as unknown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T, const MAX: usize> Body<T, MAX> {
    /// The body without white space and with its members sorted. Equal requests have equal canonical bodies.
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
            let bytes = read_body(payload, MAX).await?;
            Ok(Self { value: parse(&bytes)?, bytes })
        })
    }
}

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_headers(request, MAX_BODY);
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            checked?;
            let bytes = read_body(payload, MAX_BODY).await?;
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

/// Refuses a body that its headers announce as too large or as compressed, before the body is read.
fn check_headers(request: &HttpRequest, max: usize) -> Result<(), Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max as u64) {
        return Err(body_too_large(max));
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

//! Problem documents (RFC 9457): how every error leaves the house.
//!
//! A [`Problem`] is made where something goes wrong and rendered once, by the edge, which adds what only it knows: the
//! request's id, its path and the time. Nothing of a cause inside (SQL, paths, panics) ever gets into one.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::edge;
use super::value::Day;
use crate::domain::{FailingNight, Reason, Timestamp, Violation};
use crate::{engine, store};

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", .0.code.name(), .0.detail)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: String,
    errors: Vec<Violation>,
    nights: Vec<FailingNight>,
    sequence: Option<u64>,
    retry: Option<Retry>,
    /// The methods an address knows.
    allow: Option<String>,
    /// Filled in at the edge.
    seen: Option<Seen>,
}

#[derive(Debug, Clone, Copy)]
enum Retry {
    Secs(i64),
    At(Timestamp),
}

/// The request as the edge saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub request_id: String,
    pub path: String,
    pub now: Timestamp,
}

/// A problem as it is written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// A URI that names the kind of problem: `urn:innkeeper:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every problem of this code.
    title: &'static str,
    status: u16,
    /// The stable name to branch on.
    code: &'static str,
    /// What is the matter this time.
    detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Name it when you report a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Fields that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Nights that stand in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nights: Vec<NightInTheWay>,
    /// The sequence number that was found instead of the expected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Seconds after which another try makes sense; also in the header Retry-After.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
}

/// A field that breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or into the query taken as an object.
    #[schema(example = "/guests/0/age")]
    pointer: String,
    /// Stable name of the rule.
    #[schema(example = "age_range")]
    rule: &'static str,
    message: String,
}

/// A night that stands in the way, and why. For `closed_to_departure` the date is the departure date.
#[derive(Debug, Serialize, ToSchema)]
pub struct NightInTheWay {
    date: Day,
    /// `sold_out`, `stop_sell`, `no_inventory`, `no_price`, `closed_to_arrival`, `closed_to_departure`, `min_nights`
    /// or `max_nights`.
    reason: &'static str,
    /// Rooms left, when sold out.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u16>,
    /// Rooms asked for, when sold out.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u8>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            nights: Vec::new(),
            sequence: None,
            retry: None,
            allow: None,
            seen: None,
        }))
    }

    /// A problem with nothing to add to its title.
    pub fn of(code: Code) -> Self {
        Self::new(code, format!("{}.", code.title()))
    }

    pub fn invalid(errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{} {}.", only.pointer, only.message),
            several => format!("{} fields break a rule.", several.len()),
        };
        Self::new(Code::InvalidRequest, detail).with_errors(errors)
    }

    pub fn method_not_allowed(allow: String) -> Self {
        let mut problem = Self::new(Code::MethodNotAllowed, format!("This address knows {allow}."));
        problem.0.allow = Some(allow);
        problem
    }

    /// For an answer that some library gave by its status alone.
    pub fn of_status(status: StatusCode) -> Self {
        let code = Code::ALL.iter().find(|code| code.status() == status);
        match code {
            Some(code) => Self::of(*code),
            None if status.is_client_error() => Self::of(Code::MalformedRequest),
            None => Self::of(Code::Internal),
        }
    }

    pub fn with_errors(mut self, errors: Vec<Violation>) -> Self {
        self.0.errors = errors;
        self
    }

    pub fn with_nights(mut self, nights: Vec<FailingNight>) -> Self {
        self.0.nights = nights;
        self
    }

    pub fn with_sequence(mut self, sequence: u64) -> Self {
        self.0.sequence = Some(sequence);
        self
    }

    pub fn retry_after_secs(mut self, secs: i64) -> Self {
        self.0.retry = Some(Retry::Secs(secs));
        self
    }

    pub fn retry_at(mut self, at: Option<Timestamp>) -> Self {
        self.0.retry = at.map(Retry::At);
        self
    }

    pub fn seen(mut self, seen: Seen) -> Self {
        self.0.seen = Some(seen);
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The document, told the time it is read at.
    pub fn document(&self, now: Option<Timestamp>) -> Document {
        let parts = &self.0;
        Document {
            kind: format!("urn:innkeeper:problem:{}", parts.code.name()),
            title: parts.code.title(),
            status: parts.code.status().as_u16(),
            code: parts.code.name(),
            detail: parts.detail.clone(),
            instance: parts.seen.as_ref().map(|seen| seen.path.clone()),
            request_id: parts.seen.as_ref().map(|seen| seen.request_id.clone()),
            errors: parts.errors.iter().map(FieldError::from).collect(),
            nights: parts.nights.iter().map(NightInTheWay::from).collect(),
            sequence: parts.sequence,
            retry_after: parts.retry.and_then(|retry| retry.secs(now)),
        }
    }
}

impl Retry {
    /// At least one second: "at once" would be a busy loop.
    fn secs(self, now: Option<Timestamp>) -> Option<i64> {
        match self {
            Self::Secs(secs) => Some(secs),
            Self::At(at) => Some(at.duration_since(now?).as_secs().saturating_add(1).max(1)),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.render()
    }
}

impl Problem {
    /// The problem as an answer, complete once the edge has said what it saw.
    pub fn render(&self) -> HttpResponse {
        let document = self.document(self.0.seen.as_ref().map(|seen| seen.now));
        let mut response = HttpResponse::build(self.0.code.status());
        if let Some(secs) = document.retry_after {
            response.insert_header((header::RETRY_AFTER, secs));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.0.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="innkeeper""#));
        }
        let json = serde_json::to_vec(&document).unwrap_or_default();
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
        let mut response = response.body(json);
        edge::harden(response.headers_mut());
        if let Some(seen) = &self.0.seen {
            edge::echo(response.headers_mut(), &seen.request_id);
        }
        response
    }
}

impl From<&Violation> for FieldError {
    fn from(violation: &Violation) -> Self {
        let Violation { pointer, rule, message } = violation.clone();
        Self { pointer, rule, message }
    }
}

impl From<&FailingNight> for NightInTheWay {
    fn from(night: &FailingNight) -> Self {
        let because = |reason| Self { date: Day(night.date), reason, free: None, wanted: None, min: None, max: None };
        match night.reason {
            Reason::SoldOut { free, wanted } => Self { free: Some(free), wanted: Some(wanted), ..because("sold_out") },
            Reason::StopSell => because("stop_sell"),
            Reason::NoInventory => because("no_inventory"),
            Reason::NoPrice => because("no_price"),
            Reason::ClosedToArrival => because("closed_to_arrival"),
            Reason::ClosedToDeparture => because("closed_to_departure"),
            Reason::MinNights { min } => Self { min: Some(min), ..because("min_nights") },
            Reason::MaxNights { max } => Self { max: Some(max), ..because("max_nights") },
        }
    }
}

impl From<Vec<Violation>> for Problem {
    fn from(errors: Vec<Violation>) -> Self {
        Self::invalid(errors)
    }
}

impl From<Violation> for Problem {
    fn from(error: Violation) -> Self {
        Self::invalid(vec![error])
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Refused(refusal) => super::refusal::problem(&refusal),
            engine::Error::NoSuchRoomType => Self::of(Code::NoSuchRoomType),
            engine::Error::NoSuchBooking => Self::of(Code::NoSuchBooking),
            engine::Error::KeyReused => Self::of(Code::KeyReused),
            engine::Error::Busy => Self::of(Code::Busy).retry_after_secs(1),
            engine::Error::Interrupted => Self::of(Code::Interrupted).retry_after_secs(1),
            engine::Error::Unavailable => Self::of(Code::Unavailable).retry_after_secs(5),
            engine::Error::ShuttingDown => Self::of(Code::ShuttingDown).retry_after_secs(5),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        // The cause is for the log alone: it may name tables and files.
        match error {
            store::Error::Unavailable(cause) => {
                tracing::error!(?cause, "the store is unavailable");
                Self::of(Code::Unavailable).retry_after_secs(5)
            }
            store::Error::Corrupt(cause) => {
                tracing::error!(?cause, "the store holds a row that cannot be read");
                Self::of(Code::Internal)
            }
        }
    }
}

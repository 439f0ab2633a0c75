//! Problem documents (RFC 9457): the one format of errors.
//!
//! A [`Problem`] is created where an error occurs, and rendered once by the edge. The edge adds the request's id, its
//! path and the time. A document never contains an internal cause (SQL, file paths, panics).

mod convert;
mod document;
pub mod refusal;

pub use document::{Document, FieldError, NightInTheWay, PlanToChoose};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};

use super::code::Code;
use super::wire::{OWNER, PROBLEM_JSON, close_connection, set_request_id, set_security_headers};
use crate::domain::{FailingNight, PlanOffer, Timestamp, Violation};
use crate::lease::Peer;

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
    rate_plans: Vec<PlanOffer>,
    sequence: Option<u64>,
    retry: Option<Retry>,
    /// The methods that the endpoint supports.
    allow: Option<String>,
    /// The rate limit that the caller has reached.
    exceeded: Option<Exceeded>,
    /// The node that owns the room type, if it is not this node.
    owner: Option<Peer>,
    /// Nothing was done, so another node may be asked.
    without_effect: bool,
    /// The request, set by the edge.
    request: Option<RequestContext>,
}

/// A limit that a caller has reached (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    pub policy: &'static str,
    /// The limit of the policy in each window.
    pub limit: u32,
    pub window_secs: u64,
    pub retry_after_secs: i64,
}

#[derive(Debug, Clone, Copy)]
enum Retry {
    Secs(i64),
    At(Timestamp),
}

/// What the edge adds to a problem: facts about the request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub request_id: String,
    pub path: String,
    pub now: Timestamp,
    /// Whether the answer is the last on its connection.
    pub is_last: bool,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            nights: Vec::new(),
            rate_plans: Vec::new(),
            sequence: None,
            retry: None,
            allow: None,
            exceeded: None,
            owner: None,
            without_effect: false,
            request: None,
        }))
    }

    /// A problem whose detail is the title of its code.
    pub fn of(code: Code) -> Self {
        Self::new(code, format!("{}.", code.title()))
    }

    /// The database refuses the values. Repeating the request gets the same answer.
    pub fn unstorable() -> Self {
        let detail = "The database refuses these values. Nothing was done. Repeating the request will not help.";
        Self::new(Code::Unstorable, detail)
    }

    pub fn invalid(errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => format!("The body {}.", only.message),
            [only] => format!("{} {}.", only.pointer, only.message),
            several => format!("{} members break a rule.", several.len()),
        };
        Self::new(Code::InvalidRequest, detail).with_errors(errors)
    }

    pub fn method_not_allowed(allow: String) -> Self {
        let mut problem = Self::new(Code::MethodNotAllowed, format!("This address supports {allow}."));
        problem.0.allow = Some(allow);
        problem
    }

    /// Another node owns the room type. A client sees this problem only if the request cannot be forwarded.
    pub fn elsewhere(owner: Peer) -> Self {
        let mut problem = Self::of(Code::OwnerMoving).retry_after_secs(1);
        problem.0.owner = Some(owner);
        problem
    }

    /// The problem of an answer for which a library set only the status.
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

    pub fn with_rate_plans(mut self, plans: Vec<PlanOffer>) -> Self {
        self.0.rate_plans = plans;
        self
    }

    pub fn with_sequence(mut self, sequence: u64) -> Self {
        self.0.sequence = Some(sequence);
        self
    }

    pub fn exceeding(mut self, exceeded: Exceeded) -> Self {
        self.0.exceeded = Some(exceeded);
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

    /// Marks that nothing was done, so the request may be sent to another node.
    pub fn without_effect(mut self) -> Self {
        self.0.without_effect = true;
        self
    }

    /// Whether it is certain that nothing was done.
    pub fn had_no_effect(&self) -> bool {
        self.0.without_effect
    }

    /// Adds the request. The edge calls this.
    pub fn for_request(mut self, request: RequestContext) -> Self {
        self.0.request = Some(request);
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        self.0.code.status() == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The node that owns the room type, if it is not this node.
    pub fn owner(&self) -> Option<&Peer> {
        self.0.owner.as_ref()
    }

    /// What happened in this request.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub fn errors(&self) -> &[Violation] {
        &self.0.errors
    }

    /// Seconds after which the request may be repeated.
    pub fn retry_after(&self, now: Option<Timestamp>) -> Option<i64> {
        self.0.retry.and_then(|retry| retry.secs(now))
    }

    /// The document. `now` is the time of the answer.
    pub fn document(&self, now: Option<Timestamp>) -> Document {
        let parts = &self.0;
        Document {
            kind: format!("urn:innkeeper:problem:{}", parts.code.name()),
            title: parts.code.title(),
            status: parts.code.status().as_u16(),
            code: parts.code.name(),
            detail: parts.detail.clone(),
            instance: parts.request.as_ref().map(|request| request.path.clone()),
            request_id: parts.request.as_ref().map(|request| request.request_id.clone()),
            errors: parts.errors.iter().map(FieldError::from).collect(),
            nights: parts.nights.iter().take(document::MAX_NIGHTS).map(NightInTheWay::from).collect(),
            nights_left_out: parts.nights.len().saturating_sub(document::MAX_NIGHTS),
            rate_plans: parts.rate_plans.iter().map(PlanToChoose::from).collect(),
            sequence: parts.sequence,
            retry_after: self.retry_after(now),
            violated_policies: parts.exceeded.iter().map(|exceeded| exceeded.policy).collect(),
        }
    }
}

impl Retry {
    /// At least one second, so that a client does not retry in a busy loop.
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
    /// Renders the problem as an answer. The edge adds the request's data before it renders.
    pub fn render(&self) -> HttpResponse {
        let document = self.document(self.0.request.as_ref().map(|request| request.now));
        let mut response = HttpResponse::build(self.0.code.status());
        if let Some(secs) = document.retry_after {
            response.insert_header((header::RETRY_AFTER, secs));
        }
        if let Some(Exceeded { policy, limit, window_secs, retry_after_secs }) = &self.0.exceeded {
            response.insert_header(("RateLimit-Policy", format!("\"{policy}\";q={limit};w={window_secs}")));
            response.insert_header(("RateLimit", format!("\"{policy}\";r=0;t={retry_after_secs}")));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if let Some(Peer { node, url }) = &self.0.owner {
            response.insert_header((OWNER, format!("{node} {url}")));
        }
        if self.0.code == Code::UpgradeRequired {
            response.insert_header((header::UPGRADE, "websocket"));
        }
        if self.0.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="innkeeper""#));
        }
        let json = serde_json::to_vec(&document).unwrap_or_default();
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)));
        let mut response = response.body(json);
        set_security_headers(response.headers_mut());
        if let Some(request) = &self.0.request {
            set_request_id(response.headers_mut(), &request.request_id);
            if request.is_last {
                close_connection(response.head_mut());
            }
        }
        response
    }
}

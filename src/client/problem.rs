//! Problem documents (RFC 9457) as the client reads them.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde::{Deserialize, Deserializer};

use crate::domain::Date;
use crate::ws::frame;

/// The code of an answer that has no problem document, for example a balancer's.
const NO_DOCUMENT: &str = "no_problem_document";

/// A problem that the server answered with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The stable name to branch on. The OpenAPI document lists all of them.
    pub code: String,
    pub status: u16,
    /// What is the matter, in words.
    pub detail: String,
    /// Name it when you report a problem.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Fields that break a rule.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// Nights that cannot be sold.
    #[serde(default)]
    pub nights: Vec<FailingNight>,
    /// How long to wait before the same request can succeed.
    #[serde(default, deserialize_with = "seconds")]
    pub retry_after: Option<Duration>,
}

/// A field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or into the query taken as an object.
    pub pointer: String,
    /// Stable name of the rule.
    pub rule: String,
    pub message: String,
}

/// A night that cannot be sold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FailingNight {
    pub date: Date,
    pub reason: String,
    /// Rooms that are left, when they are too few.
    #[serde(default)]
    pub free: Option<u16>,
}

impl Problem {
    /// Reads the body of an answer that is no success.
    pub(super) fn read(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let mut problem = serde_json::from_slice(body).unwrap_or_else(|_| Self {
            code: NO_DOCUMENT.to_owned(),
            status: status.as_u16(),
            detail: format!("The server answers {status}."),
            request_id: None,
            errors: Vec::new(),
            nights: Vec::new(),
            retry_after: None,
        });
        problem.retry_after = retry_after.or(problem.retry_after);
        problem
    }

    /// Whether the same request may succeed later: the server is busy, or failed.
    pub fn is_temporary(&self) -> bool {
        self.status >= 500 || matches!(self.status, 408 | 429) || self.retry_after.is_some()
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)?;
        self.errors.iter().try_for_each(|error| write!(f, "; {} {}", error.pointer, error.message))
    }
}

impl From<frame::Error> for Problem {
    fn from(error: frame::Error) -> Self {
        let field = |mistake: frame::Mistake| FieldError {
            pointer: mistake.pointer,
            rule: mistake.rule,
            message: mistake.message,
        };
        Self {
            code: error.code,
            status: error.status,
            detail: error.detail,
            request_id: None,
            errors: error.errors.into_iter().map(field).collect(),
            nights: Vec::new(),
            retry_after: error.retry_after.and_then(|seconds| seconds.try_into().ok()).map(Duration::from_secs),
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_is_read_with_its_fields_and_its_pause() {
        let document = br#"{"type": "urn:innkeeper:problem:invalid_request", "title": "Wrong", "status": 422,
            "code": "invalid_request", "detail": "The request breaks rules.", "retry_after": 7,
            "errors": [{"pointer": "/guests/0/age", "rule": "age_range", "message": "must be 0 to 150"}]}"#;
        let problem = Problem::read(StatusCode::UNPROCESSABLE_ENTITY, None, document);
        assert_eq!((problem.code.as_str(), problem.retry_after), ("invalid_request", Some(Duration::from_secs(7))));
        let text = "The request breaks rules. (invalid_request); /guests/0/age must be 0 to 150";
        assert_eq!(problem.to_string(), text);
    }

    #[test]
    fn an_answer_without_a_document_is_a_problem_by_its_status() {
        let problem = Problem::read(StatusCode::SERVICE_UNAVAILABLE, Some(Duration::from_secs(3)), b"<html>");
        assert_eq!((problem.code.as_str(), problem.status), (NO_DOCUMENT, 503));
        assert!(problem.is_temporary());
        assert!(!Problem::read(StatusCode::NOT_FOUND, None, b"").is_temporary());
    }
}

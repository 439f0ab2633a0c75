//! The header If-Match with the ETag of a catalogue resource: the change takes effect only if the ETag still matches.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, ETag, Header, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};

use crate::http::code::Code;
use crate::http::problem::Problem;

/// The ETags that the client accepts. `None` if the request has no condition.
#[derive(Debug)]
pub struct IfMatch(Option<header::IfMatch>);

impl IfMatch {
    /// Refuses if no ETag matches. Weak ETags never match (RFC 9110, section 13.1.1).
    pub fn check(&self, present: &ETag) -> Result<(), Problem> {
        match &self.0 {
            None | Some(header::IfMatch::Any) => Ok(()),
            Some(header::IfMatch::Items(tags)) if tags.iter().any(|tag| tag.strong_eq(&present.0)) => Ok(()),
            Some(header::IfMatch::Items(_)) => Err(Problem::of(Code::Stale)),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let malformed = |_| Problem::new(Code::MalformedHeader, "If-Match must be ETags in double quotes, or *.");
        let given = request.headers().contains_key(IF_MATCH);
        ready(given.then(|| header::IfMatch::parse(request).map_err(malformed)).transpose().map(Self))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::EntityTag;
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    fn check(value: &str) -> Result<(), Code> {
        let request = TestRequest::default().insert_header((IF_MATCH, value)).to_http_request();
        let present = ETag(EntityTag::new_strong("b".to_owned()));
        let condition = IfMatch::extract(&request).into_inner();
        condition.and_then(|condition| condition.check(&present)).map_err(|problem| problem.code())
    }

    #[rstest]
    #[case("\"b\"", Ok(()))]
    #[case("\"a\", \"b\"", Ok(()))]
    #[case("*", Ok(()))]
    #[case("\"a\"", Err(Code::Stale))]
    #[case("W/\"b\"", Err(Code::Stale))]
    #[case("", Err(Code::Stale))]
    fn a_change_needs_a_matching_etag(#[case] value: &str, #[case] expected: Result<(), Code>) {
        assert_eq!(check(value), expected);
    }

    #[test]
    fn a_request_without_a_condition_always_matches() {
        let request = TestRequest::default().to_http_request();
        let condition = IfMatch::extract(&request).into_inner().unwrap();
        assert!(condition.check(&ETag(EntityTag::new_strong("b".to_owned()))).is_ok());
    }
}

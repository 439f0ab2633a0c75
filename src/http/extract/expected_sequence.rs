//! The header If-Match with a sequence number: the request takes effect only if the sequence number is unchanged.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::header;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// The sequence number that the client expects. Written as an ETag (`"12"`), as the beginning of a longer ETag
/// (`"12-20260501-20280430"`), or as a bare number. `*` matches every sequence number.
#[derive(Debug)]
pub struct ExpectedSequence(pub Option<u64>);

impl FromRequest for ExpectedSequence {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(header(request.headers(), "if-match").and_then(parse).map(Self))
    }
}

fn parse(value: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(value) = value.map(str::trim).filter(|value| *value != "*") else { return Ok(None) };
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let (number, rest) = bare.split_once('-').unwrap_or((bare, ""));
    let is_tag = rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let digits = is_tag && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match number.parse() {
        Ok(sequence) if digits => Ok(Some(sequence)),
        _ => Err(Problem::new(Code::MalformedHeader, "If-Match must be one sequence number, such as \"12\".")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("\"12\"", Some(12))]
    #[case("12", Some(12))]
    #[case("\"12-20260501-20280430\"", Some(12))]
    #[case("*", None)]
    fn a_sequence_number_is_read(#[case] value: &str, #[case] expected: Option<u64>) {
        assert_eq!(parse(Some(value)).unwrap(), expected);
    }

    #[rstest]
    #[case("W/\"12\"")] // weak tags never match strongly
    #[case("\"12\", \"13\"")]
    #[case("+12")]
    #[case("-12")]
    #[case("\"12-abc\"")]
    #[case("\"\"")]
    #[case("99999999999999999999")]
    fn anything_else_is_malformed(#[case] value: &str) {
        assert_eq!(parse(Some(value)).unwrap_err().code(), Code::MalformedHeader);
    }
}

//! The header If-Match with a sequence number: the request takes effect only if the sequence number is unchanged.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::header;
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// The version that the client expects. Written as an ETag (`"12"`), as the ETag of the availability
/// (`"12-20260501-20280430"`), or as a bare number. `*` matches every version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpectedSequence {
    pub sequence: Option<u64>,
    /// The first night on sale and the date after the last one, if the ETag contains them.
    pub on_sale: Option<[Date; 2]>,
}

impl FromRequest for ExpectedSequence {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(header(request.headers(), "if-match").and_then(parse))
    }
}

fn parse(value: Option<&str>) -> Result<ExpectedSequence, Problem> {
    let Some(value) = value.map(str::trim).filter(|value| *value != "*") else { return Ok(Default::default()) };
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let malformed =
        || Problem::new(Code::MalformedHeader, "If-Match must be one ETag with a sequence number, such as \"12\".");
    tag(bare).ok_or_else(malformed)
}

/// Reads `12`, or `12-20260501-20280430`.
fn tag(text: &str) -> Option<ExpectedSequence> {
    let (number, dates) = text.split_once('-').map_or((text, None), |(number, dates)| (number, Some(dates)));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let sequence = number.parse().ok().filter(|_| is_number)?;
    let on_sale = match dates {
        None => None,
        Some(dates) => {
            let (first, end) = dates.split_once('-')?;
            Some([date(first)?, date(end)?])
        }
    };
    Some(ExpectedSequence { sequence: Some(sequence), on_sale })
}

fn date(text: &str) -> Option<Date> {
    Date::strptime("%Y%m%d", text).ok().filter(|_| text.len() == 8)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::{ExpectedSequence, parse};
    use crate::http::code::Code;

    #[rstest]
    #[case("\"12\"", Some(12))]
    #[case("12", Some(12))]
    #[case("*", None)]
    fn a_sequence_number_is_read(#[case] value: &str, #[case] expected: Option<u64>) {
        assert_eq!(parse(Some(value)).unwrap(), ExpectedSequence { sequence: expected, on_sale: None });
    }

    #[test]
    fn the_nights_on_sale_are_read() {
        let read = parse(Some("\"12-20260501-20280430\"")).unwrap();
        assert_eq!((read.sequence, read.on_sale), (Some(12), Some([date(2026, 5, 1), date(2028, 4, 30)])));
    }

    #[rstest]
    #[case("W/\"12\"")] // weak tags never match strongly
    #[case("\"12\", \"13\"")]
    #[case("+12")]
    #[case("-12")]
    #[case("\"12-abc\"")]
    #[case("\"12-20260501\"")]
    #[case("\"12-20260501-20280431\"")]
    #[case("\"\"")]
    #[case("99999999999999999999")]
    fn anything_else_is_malformed(#[case] value: &str) {
        assert_eq!(parse(Some(value)).unwrap_err().code(), Code::MalformedHeader);
    }
}

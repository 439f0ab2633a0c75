//! Extractors: from the bytes of a request to typed input, the caller and the conditions.
//!
//! An extractor answers with a problem document when the input breaks a rule of its format. It decides nothing about
//! bookings.

pub mod body;
pub mod caller;
pub mod expected_sequence;
pub mod id;
pub mod idempotency;
pub mod if_match;
pub mod if_none_match;
pub mod object;
pub mod owner_engine;
pub mod pointer;
pub mod query;

pub use body::{Body, NoBody};
pub use caller::{Administrator, Booker, Manager};
pub use expected_sequence::ExpectedSequence;
pub use id::{BookingPath, Id};
pub use idempotency::IdempotencyKey;
pub use if_match::IfMatch;
pub use if_none_match::IfNoneMatch;
pub use owner_engine::{Forwarded, OwnerEngine};
pub use query::Query;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;

use super::code::Code;
use super::problem::Problem;

/// A dependency of the server. It is missing only if the server registered none.
fn data<T: 'static>(request: &HttpRequest) -> Result<&T, Problem> {
    request.app_data::<Data<T>>().map(|data| data.get_ref()).ok_or_else(|| Problem::of(Code::Internal))
}

/// The text of a header that a request may have once.
pub fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let malformed = |why| Problem::new(Code::MalformedHeader, format!("{name} {why}."));
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(malformed("is there more than once"));
    }
    first.map(|value| value.to_str().map_err(|_| malformed("must be visible ASCII"))).transpose()
}

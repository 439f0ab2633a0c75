//! From bytes to typed input: who asks, what for, under which conditions. Each extractor answers with a problem
//! document when it cannot; none decides anything about bookings.

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
pub use owner_engine::OwnerEngine;
pub use query::Query;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;

use super::code::Code;
use super::problem::Problem;
use super::state::State;

/// The state; it is missing only when the server was put together wrongly.
fn state(request: &HttpRequest) -> Result<&State, Problem> {
    request.app_data::<Data<State>>().map(|state| state.get_ref()).ok_or_else(|| Problem::of(Code::Internal))
}

/// A header that may be there once, as text.
pub fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let malformed = |why| Problem::new(Code::MalformedHeader, format!("{name} {why}."));
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(malformed("is there more than once"));
    }
    first.map(|value| value.to_str().map_err(|_| malformed("must be visible ASCII"))).transpose()
}

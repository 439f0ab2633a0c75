//! What all moves of a booking have in common: who, under which key, at which version, and the answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::view::BookingView;
use crate::domain::{Booking, BookingId, Move};
use crate::engine::{MoveOptions, Receipt};
use crate::http::answer::etag;
use crate::http::extract::caller::Principal;
use crate::http::extract::{IdempotencyKey, IfMatch};
use crate::http::problem::Problem;
use crate::http::state::State;

/// Tells a client that an answer is a repetition.
pub const REPLAYED: &str = "idempotent-replayed";

/// The headers of a move.
pub struct Conditions {
    pub key: IdempotencyKey,
    pub seen: IfMatch,
}

/// Does a move, and answers with the booking as it is now.
pub async fn act(
    state: &State,
    (booking, principal): (BookingId, Principal),
    act: Move,
    conditions: Conditions,
    canonical_body: &[u8],
) -> Result<HttpResponse, Problem> {
    let key = conditions.key.bind(principal, canonical_body);
    let options = MoveOptions { key, expected: conditions.seen.0, dry_run: false };
    let receipt = state.engine.act(booking, act, options).await?;
    Ok(answer(StatusCode::OK, state, &receipt))
}

/// A booking after a command.
pub fn answer(status: StatusCode, state: &State, receipt: &Receipt) -> HttpResponse {
    let mut response = booked(status, state, &receipt.booking);
    if receipt.replayed {
        use actix_web::http::header::{HeaderName, HeaderValue};
        response.headers_mut().insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    }
    response
}

/// A booking with its version.
pub fn booked(status: StatusCode, state: &State, booking: &Booking) -> HttpResponse {
    let view = BookingView::of(booking, &state.access);
    HttpResponse::build(status).insert_header(etag(booking.sequence)).json(view)
}

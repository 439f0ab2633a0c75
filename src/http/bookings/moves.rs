//! What all moves of a booking have in common: who, under which key, at which version, and the answer.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::view::BookingView;
use crate::domain::{Booking, BookingId, Move};
use crate::engine::{BookingOutcome, Engine, MoveOptions};
use crate::http::answer::etag;
use crate::http::code::Code;
use crate::http::extract::caller::Principal;
use crate::http::extract::{ExpectedSequence, IdempotencyKey, OwnerEngine};
use crate::http::problem::Problem;
use crate::http::state::State;

/// Tells a client that an answer is a repetition.
pub const REPLAYED: &str = "idempotent-replayed";

/// What the headers of a move say, and whom to ask.
pub struct Conditions {
    key: IdempotencyKey,
    pub seen: ExpectedSequence,
    pub engine: Engine,
}

impl FromRequest for Conditions {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let conditions = || {
            let key = IdempotencyKey::extract(request).into_inner()?;
            let seen = ExpectedSequence::extract(request).into_inner()?;
            let OwnerEngine(engine) = OwnerEngine::extract(request).into_inner()?;
            Ok(Self { key, seen, engine })
        };
        ready(conditions())
    }
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
    let forced_by = match &act {
        Move::Amend(amendment) => amendment.forced_by.clone(),
        _ => None,
    };
    let options = MoveOptions { key, expected: conditions.seen.0, dry_run: false };
    let outcome = conditions.engine.act(booking, act, options).await?;
    state.throttle.changed(&outcome.booking);
    log_force(forced_by.as_deref(), &outcome);
    Ok(answer(StatusCode::OK, state, &outcome))
}

/// Only the administrator may insist on what a rule forbids.
pub fn allow(forced_by: Option<&str>, principal: Principal) -> Result<(), Problem> {
    match forced_by.is_none() || principal == Principal::Administrator {
        true => Ok(()),
        false => Err(Problem::new(Code::Forbidden, "force needs the administrator's token.")),
    }
}

/// Says who insisted.
pub fn log_force(forced_by: Option<&str>, outcome: &BookingOutcome) {
    if let Some(forced_by) = forced_by.filter(|_| !outcome.replayed) {
        tracing::warn!(booking = %outcome.booking.id, forced_by, "a booking needs no adult in each room, by force");
    }
}

/// A booking after a command.
pub fn answer(status: StatusCode, state: &State, outcome: &BookingOutcome) -> HttpResponse {
    let mut response = booked(status, state, &outcome.booking);
    if outcome.replayed {
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

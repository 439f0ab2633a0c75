//! What all changes of a booking share: their conditions, their execution and their answer.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::view::BookingView;
use crate::domain::{Booking, BookingId, Move};
use crate::engine::{BookingOutcome, Engine, MoveOptions};
use crate::http::access::Access;
use crate::http::answer::etag;
use crate::http::code::Code;
use crate::http::extract::caller::Principal;
use crate::http::extract::{ExpectedSequence, IdempotencyKey, OwnerEngine};
use crate::http::problem::Problem;
use crate::http::throttle::Throttle;
use crate::http::wire::IDEMPOTENT_REPLAYED;

/// The conditions in the headers of a request, and what carries it out.
pub struct Change {
    key: IdempotencyKey,
    pub expected: ExpectedSequence,
    pub engine: Engine,
    pub access: Data<Access>,
    pub throttle: Data<Throttle>,
}

impl FromRequest for Change {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(change(request))
    }
}

fn change(request: &HttpRequest) -> Result<Change, Problem> {
    let missing = |_| Problem::of(Code::Internal);
    let OwnerEngine(engine) = OwnerEngine::extract(request).into_inner()?;
    Ok(Change {
        key: IdempotencyKey::extract(request).into_inner()?,
        expected: ExpectedSequence::extract(request).into_inner()?,
        engine,
        access: Data::extract(request).into_inner().map_err(missing)?,
        throttle: Data::extract(request).into_inner().map_err(missing)?,
    })
}

impl Change {
    /// Changes a booking. Answers with the new state of the booking.
    pub async fn act(
        self,
        (booking, principal): (BookingId, Principal),
        act: Move,
        canonical_body: &[u8],
    ) -> Result<HttpResponse, Problem> {
        let key = self.key.bind(principal, canonical_body);
        let forced_by = match &act {
            Move::Amend(amendment) => amendment.forced_by.clone(),
            _ => None,
        };
        let options = MoveOptions { key, expected: self.expected.sequence, dry_run: false };
        let outcome = self.engine.act(booking, act, options).await?;
        self.throttle.changed(&outcome.booking);
        log_force(forced_by.as_deref(), &outcome);
        Ok(answer(StatusCode::OK, &self.access, &outcome))
    }
}

/// Only the administrator may override a rule with `force`.
pub fn allow(forced_by: Option<&str>, principal: Principal) -> Result<(), Problem> {
    match forced_by.is_none() || principal == Principal::Administrator {
        true => Ok(()),
        false => Err(Problem::new(Code::Forbidden, "force needs the administrator's token.")),
    }
}

/// Logs the name in `force`.
pub fn log_force(forced_by: Option<&str>, outcome: &BookingOutcome) {
    if let Some(forced_by) = forced_by.filter(|_| !outcome.replayed) {
        tracing::warn!(booking = %outcome.booking.id, forced_by, "a booking may have rooms without an adult, by force");
    }
}

/// The answer to a command.
pub fn answer(status: StatusCode, access: &Access, outcome: &BookingOutcome) -> HttpResponse {
    let mut response = booked(status, access, &outcome.booking);
    if outcome.replayed {
        response.headers_mut().insert(HeaderName::from_static(IDEMPOTENT_REPLAYED), HeaderValue::from_static("true"));
    }
    response
}

/// A booking with its ETag.
pub fn booked(status: StatusCode, access: &Access, booking: &Booking) -> HttpResponse {
    HttpResponse::build(status).insert_header(etag(booking.sequence)).json(BookingView::of(booking, access))
}

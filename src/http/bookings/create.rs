//! `POST /v1/bookings`: books rooms, or holds them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Data;

use super::moves::{allow, answer, log_force};
use super::order::OrderBody;
use crate::clock::Clock;
use crate::engine::Error;
use crate::http::access::Access;
use crate::http::extract::{Body, Booker, ExpectedSequence, IdempotencyKey, OwnerEngine};
use crate::http::limits::MAX_BOOKING_BODY;
use crate::http::problem::Problem;
use crate::http::throttle::{Client, Throttle};

pub async fn handle(
    (access, throttle, clock): (Data<Access>, Data<Throttle>, Data<dyn Clock>),
    OwnerEngine(engine): OwnerEngine,
    Booker(principal): Booker,
    client: Client,
    key: IdempotencyKey,
    expected: ExpectedSequence,
    body: Body<OrderBody, MAX_BOOKING_BODY>,
) -> Result<HttpResponse, Problem> {
    let canonical = body.canonical();
    let (room_type, mut order) = body.value.check(expected)?;
    let key = key.from_contact(&order.contact).bind(principal, &canonical);
    let forced_by = order.forced_by.clone();
    allow(forced_by.as_deref(), principal)?;
    let permit = throttle.booking((client, principal), &mut order, key.as_ref(), clock.now())?;
    let outcome = engine.book(room_type, order, key).await;
    if let Some(permit) = permit {
        match &outcome {
            Ok(outcome) => permit.keep(&outcome.booking),
            // The outcome is unknown: the hold may exist.
            Err(Error::Interrupted) => drop(permit),
            Err(_) => permit.release(),
        }
    }
    let outcome = outcome?;
    log_force(forced_by.as_deref(), &outcome);
    let mut response = answer(StatusCode::CREATED, &access, &outcome);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/bookings/{}", outcome.booking.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

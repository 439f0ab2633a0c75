//! `POST /v1/bookings`: books, or holds.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Data;

use super::moves::{allow, answer, log_force};
use super::order::{LIMIT, OrderBody};
use crate::engine::Error;
use crate::http::extract::{Body, Booker, ExpectedSequence, IdempotencyKey, OwnerEngine};
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::http::throttle::Client;

pub async fn handle(
    state: Data<State>,
    OwnerEngine(engine): OwnerEngine,
    Booker(principal): Booker,
    client: Client,
    key: IdempotencyKey,
    seen: ExpectedSequence,
    body: Body<OrderBody, LIMIT>,
) -> Result<HttpResponse, Problem> {
    let canonical = body.canonical();
    let (room_type, mut order) = body.value.check(seen.0)?;
    let key = key.from_contact(&order.contact).bind(principal, &canonical);
    let forced_by = order.forced_by.clone();
    allow(forced_by.as_deref(), principal)?;
    let place = state.throttle.booking((client, principal), &mut order, key.as_ref(), state.clock.now())?;
    let outcome = engine.book(room_type, order, key).await;
    if let Some(place) = place {
        match &outcome {
            Ok(outcome) => place.keep(&outcome.booking),
            // The hold may exist.
            Err(Error::Interrupted) => drop(place),
            Err(_) => place.release(),
        }
    }
    let outcome = outcome?;
    log_force(forced_by.as_deref(), &outcome);
    let mut response = answer(StatusCode::CREATED, &state, &outcome);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/bookings/{}", outcome.booking.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

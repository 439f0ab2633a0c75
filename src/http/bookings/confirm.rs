use actix_web::HttpResponse;
use actix_web::web::Data;

use super::moves::{Conditions, act};
use crate::domain::Move;
use crate::http::extract::{IdempotencyKey, IfMatch, Manager, NoBody};
use crate::http::problem::Problem;
use crate::http::state::State;

/// `POST /v1/bookings/{booking_id}/confirm`
pub async fn handle(
    state: Data<State>,
    manager: Manager,
    key: IdempotencyKey,
    seen: IfMatch,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    let who = (manager.booking, manager.principal);
    act(&state, who, Move::Confirm, Conditions { key, seen }, b"").await
}

//! `POST /v1/bookings/{booking_id}/confirm`: turns a hold into a booking.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::moves::{Conditions, act};
use crate::domain::Move;
use crate::http::extract::{Manager, NoBody};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    manager: Manager,
    conditions: Conditions,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    let who = (manager.booking, manager.principal);
    act(&state, who, Move::Confirm, conditions, b"").await
}

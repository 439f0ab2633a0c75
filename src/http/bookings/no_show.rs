use actix_web::HttpResponse;
use actix_web::web::Data;

use super::moves::{Conditions, act};
use crate::domain::Move;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Administrator, BookingPath, IdempotencyKey, IfMatch, NoBody};
use crate::http::problem::Problem;
use crate::http::state::State;

/// `POST /v1/bookings/{booking_id}/no-show`
pub async fn handle(
    state: Data<State>,
    _: Administrator,
    BookingPath(booking): BookingPath,
    key: IdempotencyKey,
    seen: IfMatch,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    let who = (booking, Principal::Administrator);
    act(&state, who, Move::NoShow, Conditions { key, seen }, b"").await
}

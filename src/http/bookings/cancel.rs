use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::moves::{Conditions, act};
use super::view::BookingView;
use crate::domain::Move;
use crate::engine::MoveOptions;
use crate::http::extract::{IdempotencyKey, IfMatch, Manager, NoBody, Query};
use crate::http::problem::Problem;
use crate::http::state::State;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default)]
    dry_run: bool,
}

/// `POST /v1/bookings/{booking_id}/cancel`
pub async fn handle(
    state: Data<State>,
    manager: Manager,
    Query(options): Query<Options>,
    key: IdempotencyKey,
    seen: IfMatch,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    if options.dry_run {
        return preview(&state, manager, seen).await;
    }
    let who = (manager.booking, manager.principal);
    act(&state, who, Move::Cancel, Conditions { key, seen }, b"").await
}

/// The booking as it would be. It has no ETag: this version does not exist.
async fn preview(state: &State, manager: Manager, seen: IfMatch) -> Result<HttpResponse, Problem> {
    let options = MoveOptions { key: None, expected: seen.0, dry_run: true };
    let receipt = state.engine.act(manager.booking, Move::Cancel, options).await?;
    Ok(HttpResponse::Ok().json(BookingView::of(&receipt.booking, &state.access)))
}

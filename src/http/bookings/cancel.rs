//! `POST /v1/bookings/{booking_id}/cancel`: cancels a booking or releases a hold, or says what that would cost.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::moves::{Conditions, act};
use super::view::BookingView;
use crate::domain::Move;
use crate::engine::MoveOptions;
use crate::http::extract::{Manager, NoBody, Query};
use crate::http::problem::Problem;
use crate::http::state::State;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default)]
    dry_run: bool,
}

pub async fn handle(
    state: Data<State>,
    manager: Manager,
    Query(options): Query<Options>,
    conditions: Conditions,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    if options.dry_run {
        return preview(&state, manager, conditions).await;
    }
    let who = (manager.booking, manager.principal);
    act(&state, who, Move::Cancel, conditions, b"").await
}

/// The booking as it would be. It has no ETag: this version does not exist.
async fn preview(state: &State, manager: Manager, conditions: Conditions) -> Result<HttpResponse, Problem> {
    let options = MoveOptions { key: None, expected: conditions.seen.0, dry_run: true };
    let outcome = conditions.engine.act(manager.booking, Move::Cancel, options).await?;
    Ok(HttpResponse::Ok().json(BookingView::of(&outcome.booking, &state.access)))
}

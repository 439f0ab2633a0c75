//! `POST /v1/bookings/{booking_id}/cancel`: cancels a booking or releases a hold. A dry run shows the fee only.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::moves::Change;
use super::view::BookingView;
use crate::domain::{BookingId, Move};
use crate::engine::MoveOptions;
use crate::http::extract::{Manager, NoBody, Query};
use crate::http::problem::Problem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default)]
    dry_run: bool,
}

pub async fn handle(
    Manager { booking, principal }: Manager,
    Query(options): Query<Options>,
    change: Change,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    match options.dry_run {
        true => preview(booking, change).await,
        false => change.act((booking, principal), Move::Cancel, b"").await,
    }
}

/// The booking as it would be after the cancellation. It has no ETag, because this version does not exist.
async fn preview(booking: BookingId, change: Change) -> Result<HttpResponse, Problem> {
    let options = MoveOptions { key: None, expected: change.expected.sequence, dry_run: true };
    let outcome = change.engine.act(booking, Move::Cancel, options).await?;
    Ok(HttpResponse::Ok().json(BookingView::of(&outcome.booking, &change.access)))
}

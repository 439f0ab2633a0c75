//! `POST /v1/bookings/{booking_id}/confirm`: turns a hold into a confirmed booking.

use actix_web::HttpResponse;

use super::moves::Change;
use crate::domain::Move;
use crate::http::extract::{Manager, NoBody};
use crate::http::problem::Problem;

pub async fn handle(
    Manager { booking, principal }: Manager,
    change: Change,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    change.act((booking, principal), Move::Confirm, b"").await
}

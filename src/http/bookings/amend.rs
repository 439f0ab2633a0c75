//! `PATCH /v1/bookings/{booking_id}`: changes dates, rooms or guests. The policy does not limit the administrator.

use actix_web::HttpResponse;

use super::moves::{Change, allow};
use super::order::AmendmentBody;
use crate::domain::Move;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Body, Manager};
use crate::http::limits::MAX_BOOKING_BODY;
use crate::http::problem::Problem;

pub async fn handle(
    Manager { booking, principal }: Manager,
    change: Change,
    body: Body<AmendmentBody, MAX_BOOKING_BODY>,
) -> Result<HttpResponse, Problem> {
    let canonical = body.canonical();
    let mut amendment = body.value.check()?;
    amendment.waive_policy = principal == Principal::Administrator;
    amendment.hold_share = change.throttle.hold_share(principal);
    allow(amendment.forced_by.as_deref(), principal)?;
    change.act((booking, principal), Move::Amend(amendment), &canonical).await
}

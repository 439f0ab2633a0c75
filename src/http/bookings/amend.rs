//! `PATCH /v1/bookings/{booking_id}`: changes dates, rooms or guests. The administrator is not bound to the policy.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::moves::{Conditions, act, allow};
use super::order::{AmendmentBody, LIMIT};
use crate::domain::Move;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Body, Manager};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    manager: Manager,
    conditions: Conditions,
    body: Body<AmendmentBody, LIMIT>,
) -> Result<HttpResponse, Problem> {
    let canonical = body.canonical();
    let mut amendment = body.value.check()?;
    amendment.waive_policy = manager.principal == Principal::Administrator;
    amendment.hold_share = state.throttle.hold_share(manager.principal);
    allow(amendment.forced_by.as_deref(), manager.principal)?;
    let who = (manager.booking, manager.principal);
    act(&state, who, Move::Amend(amendment), conditions, &canonical).await
}

//! `POST /v1/room-types/{id}/rate-plans`: creates a rate plan.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RatePlanBody, RatePlanView};
use crate::clock::IdSource;
use crate::domain::{RatePlanId, RoomTypeId};
use crate::http::answer::created;
use crate::http::code::Code;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Administrator, Body, Id, IdempotencyKey, OwnerEngine};
use crate::http::problem::Problem;
use crate::http::room_types;
use crate::store::{Answer, Catalogue};

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(room_type): Id<RoomTypeId>,
    key: IdempotencyKey,
    body: Body<RatePlanBody>,
) -> Result<HttpResponse, Problem> {
    let room_type = room_types::find(&**catalogue, room_type).await?;
    let key = key.bind(Principal::Administrator, &body.canonical());
    let plan = body.value.check(RatePlanId(ids.next()), room_type.id, None)?;
    let outcome = engine.create_rate_plan(plan, key).await?;
    let Answer::RatePlan(plan) = outcome.answer else { return Err(Problem::of(Code::KeyReused)) };
    Ok(created(format!("/v1/rate-plans/{}", plan.id), &RatePlanView::from(&*plan), outcome.replayed))
}

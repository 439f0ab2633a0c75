//! `POST /v1/room-types/{id}/rate-plans`: creates a rate plan.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RatePlanBody, RatePlanView};
use crate::clock::IdSource;
use crate::domain::{RatePlanId, RoomTypeId};
use crate::http::answer::created;
use crate::http::extract::{Administrator, Body, Id, OwnerEngine};
use crate::http::problem::Problem;
use crate::http::room_types;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(room_type): Id<RoomTypeId>,
    body: Body<RatePlanBody>,
) -> Result<HttpResponse, Problem> {
    let room_type = room_types::find(&**catalogue, room_type).await?;
    let plan = body.value.check(RatePlanId(ids.next()), room_type.id, None)?;
    engine.set_rate_plan(plan.clone()).await?;
    Ok(created(format!("/v1/rate-plans/{}", plan.id), &RatePlanView::from(&plan)))
}

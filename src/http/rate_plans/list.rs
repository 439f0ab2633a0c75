use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RatePlanView;
use crate::domain::{RatePlanId, RoomTypeId};
use crate::http::extract::{Id, Query};
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::http::room_types;
use crate::http::state::State;

/// `GET /v1/room-types/{id}/rate-plans`
pub async fn handle(
    state: Data<State>,
    Id(room_type): Id<RoomTypeId>,
    Query(paging): Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RatePlanId)?;
    room_types::find(&state, room_type).await?;
    let plans = state.catalogue.rate_plans(room_type, page).await?;
    Ok(HttpResponse::Ok().json(List::<RatePlanView>::of(plans, limit, |plan| plan.id.0)))
}

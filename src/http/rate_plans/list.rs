//! `GET /v1/room-types/{id}/rate-plans`: lists the rate plans of a room type, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RatePlanView;
use crate::domain::{RatePlanId, RoomTypeId};
use crate::http::extract::{Id, Query};
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::http::room_types;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(room_type): Id<RoomTypeId>,
    Query(paging): Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RatePlanId)?;
    room_types::find(&**catalogue, room_type).await?;
    let plans = catalogue.rate_plans(room_type, page).await?;
    Ok(HttpResponse::Ok().json(List::<RatePlanView>::of(plans, limit, |plan| plan.id.0)))
}

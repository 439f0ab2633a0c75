use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::domain::RoomTypeId;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `PATCH /v1/room-types/{id}`
pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<RoomTypeId>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let present = super::find(&state, id).await?;
    let room_type = patch.value.over(&RoomTypeBody::from(&present))?.check(id, present.hotel_id)?;
    state.engine.set_room_type(room_type.clone()).await?;
    Ok(HttpResponse::Ok().json(RoomTypeView::from(&room_type)))
}

//! `GET /v1/room-types/{id}`: shows a room type to everybody.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RoomTypeView;
use crate::domain::RoomTypeId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, Id(id): Id<RoomTypeId>, known: IfNoneMatch) -> Result<HttpResponse, Problem> {
    let room_type = super::find(&state, id).await?;
    Ok(shown(&RoomTypeView::from(&room_type), &known))
}

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RoomTypeView;
use crate::domain::RoomTypeId;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `GET /v1/room-types/{id}`
pub async fn handle(state: Data<State>, Id(id): Id<RoomTypeId>) -> Result<HttpResponse, Problem> {
    let room_type = super::find(&state, id).await?;
    Ok(HttpResponse::Ok().json(RoomTypeView::from(&room_type)))
}

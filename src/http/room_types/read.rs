//! `GET /v1/room-types/{id}`: reads a room type.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RoomTypeView;
use crate::domain::RoomTypeId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(id): Id<RoomTypeId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let room_type = super::find(&**catalogue, id).await?;
    Ok(shown(&RoomTypeView::from(&room_type), &known))
}

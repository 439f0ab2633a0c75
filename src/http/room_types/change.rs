//! `PATCH /v1/room-types/{id}`: changes a room type, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::domain::RoomTypeId;
use crate::engine::Error;
use crate::http::answer::{changed, retry_on_conflict, version};
use crate::http::extract::{Administrator, Body, Id, IfMatch, OwnerEngine};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    OwnerEngine(engine): OwnerEngine,
    _: Administrator,
    Id(id): Id<RoomTypeId>,
    condition: IfMatch,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let room_type = retry_on_conflict(async || {
        let present = super::find(&**catalogue, id).await?;
        condition.check(&version(&RoomTypeView::from(&present)))?;
        let room_type = patch.value.over(&RoomTypeBody::from(&present))?.check(id, present.hotel_id, Some(&present))?;
        match engine.change_room_type(present, room_type.clone()).await {
            Ok(_) => Ok(Some(room_type)),
            Err(Error::Changed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    });
    Ok(changed(&RoomTypeView::from(&room_type.await?)))
}

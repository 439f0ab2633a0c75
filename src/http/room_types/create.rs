//! `POST /v1/hotels/{id}/room-types`: creates a room type.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::clock::IdSource;
use crate::domain::{HotelId, RoomTypeId};
use crate::engine::Engine;
use crate::events::Notice;
use crate::http::answer::{created, run_to_end};
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels;
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    engine: Data<Engine>,
    catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    _: Administrator,
    Id(hotel): Id<HotelId>,
    body: Body<RoomTypeBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&**catalogue, hotel).await?;
    let room_type = body.value.check(RoomTypeId(ids.next()), hotel.id, None)?;
    let answer = created(format!("/v1/room-types/{}", room_type.id), &RoomTypeView::from(&room_type));
    let insert = async move {
        catalogue.insert_room_type(&room_type).await?;
        engine.hub().publish(Notice::Hotel(hotel.id));
        Ok(())
    };
    run_to_end(insert).await?;
    Ok(answer)
}

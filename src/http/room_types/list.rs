//! `GET /v1/hotels/{id}/room-types`: lists the room types of a hotel, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RoomTypeView;
use crate::domain::{HotelId, RoomTypeId};
use crate::http::extract::{Id, Query};
use crate::http::hotels;
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(hotel): Id<HotelId>,
    Query(paging): Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RoomTypeId)?;
    hotels::find(&**catalogue, hotel).await?;
    let room_types = catalogue.room_types(hotel, page).await?;
    Ok(HttpResponse::Ok().json(List::<RoomTypeView>::of(room_types, limit, |room_type| room_type.id.0)))
}

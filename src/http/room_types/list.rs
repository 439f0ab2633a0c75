use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RoomTypeView;
use crate::domain::{HotelId, RoomTypeId};
use crate::http::extract::{Id, Query};
use crate::http::hotels;
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::http::state::State;

/// `GET /v1/hotels/{id}/room-types`
pub async fn handle(
    state: Data<State>,
    Id(hotel): Id<HotelId>,
    Query(paging): Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RoomTypeId)?;
    hotels::find(&state, hotel).await?;
    let room_types = state.catalogue.room_types(hotel, page).await?;
    Ok(HttpResponse::Ok().json(List::<RoomTypeView>::of(room_types, limit, |room_type| room_type.id.0)))
}

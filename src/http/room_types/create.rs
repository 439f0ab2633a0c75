//! `POST /v1/hotels/{id}/room-types`: makes a room type.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::domain::{HotelId, RoomTypeId};
use crate::events::Notice;
use crate::http::answer::{created, to_the_end};
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(hotel): Id<HotelId>,
    body: Body<RoomTypeBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&state, hotel).await?;
    let room_type = body.value.check(RoomTypeId(state.ids.next()), hotel.id, None)?;
    let answer = created(format!("/v1/room-types/{}", room_type.id), &RoomTypeView::from(&room_type));
    let insert = async move {
        state.catalogue.insert_room_type(&room_type).await?;
        state.engine.hub().publish(Notice::Hotel(hotel.id));
        Ok(())
    };
    to_the_end(insert).await?;
    Ok(answer)
}

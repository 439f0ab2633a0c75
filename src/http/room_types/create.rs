//! `POST /v1/hotels/{id}/room-types`: creates a room type.

use actix_web::HttpResponse;

use super::body::{RoomTypeBody, RoomTypeView};
use crate::domain::{HotelId, RoomTypeId};
use crate::http::answer::created;
use crate::http::code::Code;
use crate::http::creation::Creation;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels;
use crate::http::problem::Problem;
use crate::store::Answer;

pub async fn handle(
    _: Administrator,
    Id(hotel): Id<HotelId>,
    creation: Creation,
    body: Body<RoomTypeBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&**creation.catalogue, hotel).await?;
    let canonical = body.canonical();
    let room_type = body.value.check(RoomTypeId(creation.next_id()), hotel.id, None)?;
    let outcome = creation.store(Answer::RoomType(room_type.into()), &canonical).await?;
    let Answer::RoomType(room_type) = outcome.answer else { return Err(Problem::of(Code::KeyReused)) };
    Ok(created(format!("/v1/room-types/{}", room_type.id), &RoomTypeView::from(&*room_type), outcome.replayed))
}

//! `POST /v1/hotels`: creates a hotel.

use actix_web::HttpResponse;

use super::body::{HotelBody, HotelView};
use crate::domain::HotelId;
use crate::http::answer::created;
use crate::http::code::Code;
use crate::http::creation::Creation;
use crate::http::extract::{Administrator, Body};
use crate::http::problem::Problem;
use crate::store::Answer;

pub async fn handle(_: Administrator, creation: Creation, body: Body<HotelBody>) -> Result<HttpResponse, Problem> {
    let canonical = body.canonical();
    let hotel = body.value.check(HotelId(creation.next_id()), None)?;
    let outcome = creation.store(Answer::Hotel(hotel.into()), &canonical).await?;
    let Answer::Hotel(hotel) = outcome.answer else { return Err(Problem::of(Code::KeyReused)) };
    Ok(created(format!("/v1/hotels/{}", hotel.id), &HotelView::from(&*hotel), outcome.replayed))
}

//! `POST /v1/hotels/{id}/services`: creates a service.

use actix_web::HttpResponse;

use super::body::{ServiceBody, ServiceView};
use crate::domain::{HotelId, ServiceId};
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
    body: Body<ServiceBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&**creation.catalogue, hotel).await?;
    let canonical = body.canonical();
    let service = body.value.check(ServiceId(creation.next_id()), hotel.id, None)?;
    let outcome = creation.store(Answer::Service(service.into()), &canonical).await?;
    let Answer::Service(service) = outcome.answer else { return Err(Problem::of(Code::KeyReused)) };
    Ok(created(format!("/v1/services/{}", service.id), &ServiceView::from(&*service), outcome.replayed))
}

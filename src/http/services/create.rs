//! `POST /v1/hotels/{id}/services`: makes a service.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::domain::{HotelId, ServiceId};
use crate::http::answer::created;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels::{self, Written};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(hotel): Id<HotelId>,
    body: Body<ServiceBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&state, hotel).await?;
    let service = body.value.check(ServiceId(state.ids.next()), hotel.id, None)?;
    let answer = created(format!("/v1/services/{}", service.id), &ServiceView::from(&service));
    let insert = async move |state: &State| Ok(Written::Changed(state.catalogue.insert_service(&service).await?));
    hotels::write(state, hotel.id, insert).await?;
    Ok(answer)
}

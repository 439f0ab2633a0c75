//! `POST /v1/hotels/{id}/services`: creates a service.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::clock::IdSource;
use crate::domain::{HotelId, ServiceId};
use crate::engine::Engine;
use crate::http::answer::created;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels::{self, Written};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    engine: Data<Engine>,
    catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    _: Administrator,
    Id(hotel): Id<HotelId>,
    body: Body<ServiceBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = hotels::find(&**catalogue, hotel).await?;
    let service = body.value.check(ServiceId(ids.next()), hotel.id, None)?;
    let answer = created(format!("/v1/services/{}", service.id), &ServiceView::from(&service));
    let insert = async move { Ok(Written::Changed(catalogue.insert_service(&service).await?)) };
    hotels::write(engine, hotel.id, insert).await?;
    Ok(answer)
}

//! `GET /v1/hotels/{id}/services`: lists the services of a hotel, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::ServiceView;
use crate::domain::{HotelId, ServiceId};
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
    let (page, limit) = paging.page(ServiceId)?;
    hotels::find(&**catalogue, hotel).await?;
    let services = catalogue.services(hotel, page).await?;
    Ok(HttpResponse::Ok().json(List::<ServiceView>::of(services, limit, |service| service.id.0)))
}

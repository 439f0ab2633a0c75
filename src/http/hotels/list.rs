//! `GET /v1/hotels`: lists hotels, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::body::HotelView;
use crate::domain::HotelId;
use crate::domain::text;
use crate::http::extract::Query;
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::store::Catalogue;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    city: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

pub async fn handle(catalogue: Data<dyn Catalogue>, Query(filter): Query<Filter>) -> Result<HttpResponse, Problem> {
    let Filter { city, limit, cursor } = filter;
    let (page, limit) = Paging { limit, cursor }.page(HotelId)?;
    let city = city.map(|city| text::line(&city, 100, "/city")).transpose()?;
    let hotels = catalogue.hotels(city.as_deref(), page).await?;
    Ok(HttpResponse::Ok().json(List::<HotelView>::of(hotels, limit, |hotel| hotel.id.0)))
}

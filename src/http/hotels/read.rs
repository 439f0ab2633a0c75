//! `GET /v1/hotels/{id}`: reads a hotel.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::HotelView;
use crate::domain::HotelId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(id): Id<HotelId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let hotel = super::find(&**catalogue, id).await?;
    Ok(shown(&HotelView::from(&hotel), &known))
}

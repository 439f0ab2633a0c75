//! `POST /v1/hotels`: creates a hotel.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{HotelBody, HotelView};
use crate::clock::IdSource;
use crate::domain::HotelId;
use crate::engine::Engine;
use crate::events::Notice;
use crate::http::answer::{created, run_to_end};
use crate::http::extract::{Administrator, Body};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    engine: Data<Engine>,
    catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    _: Administrator,
    body: Body<HotelBody>,
) -> Result<HttpResponse, Problem> {
    let hotel = body.value.check(HotelId(ids.next()), None)?;
    let answer = created(format!("/v1/hotels/{}", hotel.id), &HotelView::from(&hotel));
    let insert = async move {
        catalogue.insert_hotel(&hotel).await?;
        engine.hub().publish(Notice::Hotel(hotel.id));
        Ok(())
    };
    run_to_end(insert).await?;
    Ok(answer)
}

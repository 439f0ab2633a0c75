use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{HotelBody, HotelView};
use crate::domain::HotelId;
use crate::http::answer::created;
use crate::http::extract::{Administrator, Body};
use crate::http::problem::Problem;
use crate::http::state::State;

/// `POST /v1/hotels`
pub async fn handle(state: Data<State>, _: Administrator, body: Body<HotelBody>) -> Result<HttpResponse, Problem> {
    let hotel = body.value.check(HotelId(state.ids.next()))?;
    state.catalogue.insert_hotel(&hotel).await?;
    Ok(created(format!("/v1/hotels/{}", hotel.id), &HotelView::from(&hotel)))
}

//! `POST /v1/hotels`: makes a hotel.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{HotelBody, HotelView};
use crate::domain::HotelId;
use crate::events::Notice;
use crate::http::answer::{created, to_the_end};
use crate::http::extract::{Administrator, Body};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, _: Administrator, body: Body<HotelBody>) -> Result<HttpResponse, Problem> {
    let hotel = body.value.check(HotelId(state.ids.next()), None)?;
    let answer = created(format!("/v1/hotels/{}", hotel.id), &HotelView::from(&hotel));
    let insert = async move {
        state.catalogue.insert_hotel(&hotel).await?;
        state.engine.hub().publish(Notice::Hotel(hotel.id));
        Ok(())
    };
    to_the_end(insert).await?;
    Ok(answer)
}

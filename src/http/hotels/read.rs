//! `GET /v1/hotels/{id}`: shows a hotel to everybody.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::HotelView;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    Id(id): Id<crate::domain::HotelId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let hotel = super::find(&state, id).await?;
    Ok(shown(&HotelView::from(&hotel), &known))
}

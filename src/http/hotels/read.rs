use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::HotelView;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `GET /v1/hotels/{id}`
pub async fn handle(state: Data<State>, Id(id): Id<crate::domain::HotelId>) -> Result<HttpResponse, Problem> {
    let hotel = super::find(&state, id).await?;
    Ok(HttpResponse::Ok().json(HotelView::from(&hotel)))
}

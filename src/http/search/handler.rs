//! `GET /v1/search`: what a city has to sell.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::offer::offers;
use super::query::SearchQuery;
use crate::http::extract::Query;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, Query(query): Query<SearchQuery>) -> Result<HttpResponse, Problem> {
    let search = query.check()?;
    let now = state.clock.now();
    let candidates = state.reports.candidates(&search.city, search.stay).await?;
    Ok(HttpResponse::Ok().json(offers(&search, &candidates, now)))
}

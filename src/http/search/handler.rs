//! `GET /v1/search`: what a city, or a neighbourhood, has to sell.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::offer::offers;
use super::query::SearchQuery;
use crate::http::answer::shown;
use crate::http::extract::{IfNoneMatch, Query};
use crate::http::problem::Problem;
use crate::http::refusal;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    Query(query): Query<SearchQuery>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let search = query.check()?;
    let (index, now) = (state.searchable().await?, state.clock.now());
    if let Some(refusal) = index.refusal(&search, now) {
        return Err(refusal::problem(&refusal));
    }
    let page = index.search(&search, now);
    Ok(shown(&offers(page), &known))
}

//! `GET /v1/search`: the offers of a city, or of the area around a place.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::offer::offers;
use super::query::SearchQuery;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::http::answer::shown;
use crate::http::extract::{IfNoneMatch, Query};
use crate::http::problem::Problem;
use crate::http::problem::refusal;
use crate::search::Index;

pub async fn handle(
    engine: Data<Engine>,
    index: Data<Index>,
    clock: Data<dyn Clock>,
    Query(query): Query<SearchQuery>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let search = query.check()?;
    // The offers include every commit that was answered before this request.
    index.caught_up(engine.hub().position()).await?;
    let now = clock.now();
    if let Some(refusal) = index.refusal(&search, now) {
        return Err(refusal::problem(&refusal));
    }
    let page = index.search(&search, now);
    Ok(shown(&offers(page), &known))
}

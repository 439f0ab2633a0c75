//! `GET /v1/events`: what has happened after a position, in the order of commits.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;

use super::view::EventView;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Query};
use crate::http::page::{List, Paging};
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::http::value::whole;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    after: Option<i64>,
    limit: Option<i64>,
}

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Query(window): Query<Window>,
) -> Result<HttpResponse, Problem> {
    let after = window.after.map(|after| whole(after, 0_u64, i64::MAX.unsigned_abs(), "/after", "after_range"));
    let limit = Paging { limit: window.limit, cursor: None }.limit()?;
    let found = state.feed.events(after.transpose()?, limit + 1).await?;
    let mut events = found.ok_or_else(|| Problem::of(Code::EventsGone))?;
    let more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let next_cursor = events.last().filter(|_| more).map(|event| event.position.to_string());
    let items: Vec<EventView> = events.iter().map(EventView::from).collect();
    Ok(HttpResponse::Ok().json(List { items, next_cursor }))
}

//! `GET /v1/cluster`: the nodes, and what this one owns.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::view::ClusterView;
use crate::domain::RoomTypeId;
use crate::http::extract::{Administrator, Query};
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Query(paging): Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RoomTypeId)?;
    Ok(HttpResponse::Ok().json(ClusterView::of(&state, page, limit).await))
}

//! `GET /v1/cluster`: the nodes of the cluster, and the room types that this node owns.

use actix_web::HttpResponse;

use super::view::{ClusterView, ThisNode};
use crate::domain::RoomTypeId;
use crate::http::extract::{Administrator, Query};
use crate::http::page::Paging;
use crate::http::problem::Problem;

pub async fn handle(node: ThisNode, _: Administrator, Query(paging): Query<Paging>) -> Result<HttpResponse, Problem> {
    let (page, limit) = paging.page(RoomTypeId)?;
    Ok(HttpResponse::Ok().json(ClusterView::of(&node, page, limit).await))
}

//! `POST /v1/cluster/drain`: gives every room type of this node back, so that other nodes can take it.

use actix_web::HttpResponse;

use super::view::{ClusterView, ThisNode};
use crate::domain::RoomTypeId;
use crate::http::answer::run_to_end;
use crate::http::extract::{Administrator, NoBody};
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::shutdown;

pub async fn handle(node: ThisNode, _: Administrator, _: NoBody) -> Result<HttpResponse, Problem> {
    let (page, limit) = Paging::default().page(RoomTypeId)?;
    let drained = async move {
        shutdown::drain(&node.draining, &**node.membership, &node.engine).await;
        Ok(ClusterView::of(&node, page, limit).await)
    };
    Ok(HttpResponse::Ok().json(run_to_end(drained).await?))
}

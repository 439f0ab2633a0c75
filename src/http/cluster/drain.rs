//! `POST /v1/cluster/drain`: lets the other nodes have everything that this one owns.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::view::ClusterView;
use crate::domain::RoomTypeId;
use crate::http::answer::to_the_end;
use crate::http::extract::{Administrator, NoBody};
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::shutdown;

pub async fn handle(state: Data<State>, _: Administrator, _: NoBody) -> Result<HttpResponse, Problem> {
    let (page, limit) = Paging::default().page(RoomTypeId)?;
    let drained = async move {
        shutdown::drain(&state.draining, &*state.membership, &state.engine).await;
        Ok(ClusterView::of(&state, page, limit).await)
    };
    Ok(HttpResponse::Ok().json(to_the_end(drained).await?))
}

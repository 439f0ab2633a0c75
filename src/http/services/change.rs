use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::domain::ServiceId;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `PATCH /v1/services/{id}`
pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<ServiceId>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let present = super::find(&state, id).await?;
    let service = patch.value.over(&ServiceBody::from(&present))?.check(id, present.hotel_id)?;
    if !state.catalogue.update_service(&service).await? {
        return Err(Problem::of(Code::NoSuchService));
    }
    state.engine.hotel_changed(service.hotel_id).await?;
    Ok(HttpResponse::Ok().json(ServiceView::from(&service)))
}

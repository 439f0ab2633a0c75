//! `PATCH /v1/services/{id}`: changes a service, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::domain::ServiceId;
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::hotels;
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<ServiceId>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let present = super::find(&state, id).await?;
    let service = patch.value.over(&ServiceBody::from(&present))?.check(id, present.hotel_id)?;
    let answer = HttpResponse::Ok().json(ServiceView::from(&service));
    let update = async move |state: &State| match state.catalogue.update_service(&service).await? {
        true => Ok(()),
        false => Err(Problem::of(Code::NoSuchService)),
    };
    hotels::write(state, present.hotel_id, update).await?;
    Ok(answer)
}

//! `PATCH /v1/services/{id}`: changes a service, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::domain::ServiceId;
use crate::http::answer::{changed, overwriting_nobody, version};
use crate::http::extract::{Administrator, Body, Id, IfMatch};
use crate::http::hotels::{self, Written};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<ServiceId>,
    condition: IfMatch,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let hotel = super::find(&state, id).await?.hotel_id;
    let change = async move |state: &State| {
        overwriting_nobody(async || {
            let present = super::find(state, id).await?;
            condition.check(&version(&ServiceView::from(&present)))?;
            let service = patch.value.over(&ServiceBody::from(&present))?.check(id, hotel, Some(&present))?;
            if service == present {
                return Ok(Some(Written::Same(service)));
            }
            Ok(state.catalogue.update_service(&present, &service).await?.then_some(Written::Changed(service)))
        })
        .await
    };
    let service = hotels::write(state, hotel, change).await?;
    Ok(changed(&ServiceView::from(&service)))
}

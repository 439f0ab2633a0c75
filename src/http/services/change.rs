//! `PATCH /v1/services/{id}`: changes a service, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{ServiceBody, ServiceView};
use crate::domain::ServiceId;
use crate::engine::Engine;
use crate::http::answer::{changed, retry_on_conflict, version};
use crate::http::extract::{Administrator, Body, Id, IfMatch};
use crate::http::hotels::{self, Written};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    engine: Data<Engine>,
    catalogue: Data<dyn Catalogue>,
    _: Administrator,
    Id(id): Id<ServiceId>,
    condition: IfMatch,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let hotel = super::find(&**catalogue, id).await?.hotel_id;
    let change = async move {
        retry_on_conflict(async || {
            let present = super::find(&**catalogue, id).await?;
            condition.check(&version(&ServiceView::from(&present)))?;
            let service = patch.value.over(&ServiceBody::from(&present))?.check(id, hotel, Some(&present))?;
            if service == present {
                return Ok(Some(Written::Same(service)));
            }
            Ok(catalogue.update_service(&present, &service).await?.then_some(Written::Changed(service)))
        })
        .await
    };
    let service = hotels::write(engine, hotel, change).await?;
    Ok(changed(&ServiceView::from(&service)))
}

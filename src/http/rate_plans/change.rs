use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RatePlanBody, RatePlanView};
use crate::domain::RatePlanId;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `PATCH /v1/rate-plans/{id}`
pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<RatePlanId>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let present = super::find(&state, id).await?;
    let body = yielding(RatePlanBody::from(&present), &patch.value);
    let plan = patch.value.over(&body)?.check(id, present.room_type_id)?;
    state.engine.set_rate_plan(plan.clone()).await?;
    Ok(HttpResponse::Ok().json(RatePlanView::from(&plan)))
}

/// Who changes `refundable` alone wants the usual tiers of the other kind, and who changes the tiers alone decides
/// with them what the plan is: what is there already must not contradict that.
fn yielding(present: RatePlanBody, patch: &MergePatch) -> RatePlanBody {
    match (patch.names("refundable"), patch.names("cancellation_tiers")) {
        (true, false) => RatePlanBody { cancellation_tiers: None, no_show_fee: None, ..present },
        (false, true) => RatePlanBody { refundable: None, ..present },
        _ => present,
    }
}

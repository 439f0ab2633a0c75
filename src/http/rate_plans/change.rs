//! `PATCH /v1/rate-plans/{id}`: changes a rate plan, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{RatePlanBody, RatePlanView};
use crate::domain::RatePlanId;
use crate::engine::Error;
use crate::http::answer::{changed, overwriting_nobody, version};
use crate::http::extract::{Administrator, Asking, Body, Id, IfUnchanged};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    Asking(engine): Asking,
    _: Administrator,
    Id(id): Id<RatePlanId>,
    condition: IfUnchanged,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let plan = overwriting_nobody(async || {
        let present = super::find(&state, id).await?;
        condition.check(&version(&RatePlanView::from(&present)))?;
        let body = yielding(RatePlanBody::from(&present), &patch.value);
        let plan = patch.value.over(&body)?.check(id, present.room_type_id)?;
        match engine.change_rate_plan(present, plan.clone()).await {
            Ok(_) => Ok(Some(plan)),
            Err(Error::Changed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    });
    Ok(changed(&RatePlanView::from(&plan.await?)))
}

/// Who changes `refundable` alone wants the usual tiers of the other kind, and who changes the tiers alone decides
/// with them what the plan is: what is there already must not contradict that. A fee is given whole: members of
/// another type of fee must not linger in it.
fn yielding(present: RatePlanBody, patch: &MergePatch) -> RatePlanBody {
    let no_show_fee = present.no_show_fee.filter(|_| !patch.names("no_show_fee"));
    match (patch.names("refundable"), patch.names("cancellation_tiers")) {
        (true, false) => RatePlanBody { cancellation_tiers: None, no_show_fee: None, ..present },
        (false, true) => RatePlanBody { refundable: None, no_show_fee, ..present },
        _ => RatePlanBody { no_show_fee, ..present },
    }
}

//! `GET /v1/rate-plans/{id}`: shows a rate plan to everybody.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RatePlanView;
use crate::domain::RatePlanId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, Id(id): Id<RatePlanId>, known: IfNoneMatch) -> Result<HttpResponse, Problem> {
    let plan = super::find(&state, id).await?;
    Ok(shown(&RatePlanView::from(&plan), &known))
}

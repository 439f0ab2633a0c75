//! `GET /v1/rate-plans/{id}`: reads a rate plan.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RatePlanView;
use crate::domain::RatePlanId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(id): Id<RatePlanId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let plan = super::find(&**catalogue, id).await?;
    Ok(shown(&RatePlanView::from(&plan), &known))
}

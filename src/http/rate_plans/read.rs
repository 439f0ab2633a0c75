use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::RatePlanView;
use crate::domain::RatePlanId;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `GET /v1/rate-plans/{id}`
pub async fn handle(state: Data<State>, Id(id): Id<RatePlanId>) -> Result<HttpResponse, Problem> {
    let plan = super::find(&state, id).await?;
    Ok(HttpResponse::Ok().json(RatePlanView::from(&plan)))
}

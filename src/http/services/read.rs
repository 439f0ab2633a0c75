use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::ServiceView;
use crate::domain::ServiceId;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `GET /v1/services/{id}`
pub async fn handle(state: Data<State>, Id(id): Id<ServiceId>) -> Result<HttpResponse, Problem> {
    let service = super::find(&state, id).await?;
    Ok(HttpResponse::Ok().json(ServiceView::from(&service)))
}

//! `GET /v1/services/{id}`: shows a service to everybody.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::ServiceView;
use crate::domain::ServiceId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, Id(id): Id<ServiceId>, known: IfNoneMatch) -> Result<HttpResponse, Problem> {
    let service = super::find(&state, id).await?;
    Ok(shown(&ServiceView::from(&service), &known))
}

//! `GET /v1/services/{id}`: reads a service.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::ServiceView;
use crate::domain::ServiceId;
use crate::http::answer::shown;
use crate::http::extract::{Id, IfNoneMatch};
use crate::http::problem::Problem;
use crate::store::Catalogue;

pub async fn handle(
    catalogue: Data<dyn Catalogue>,
    Id(id): Id<ServiceId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let service = super::find(&**catalogue, id).await?;
    Ok(shown(&ServiceView::from(&service), &known))
}

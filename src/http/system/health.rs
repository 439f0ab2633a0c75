//! `GET /healthz` and `GET /readyz`: whether the process is alive, and whether it can serve.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{Engine, Error};
use crate::http::code::Code;
use crate::http::names::HealthStatus;
use crate::http::problem::Problem;
use crate::lease::Membership;
use crate::search::{Building, Index};
use crate::shutdown::Draining;
use crate::store::Reports;

/// The answer of a healthy process.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    #[schema(value_type = HealthStatus)]
    status: &'static str,
}

/// The process answers requests.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Checks that the node can serve. It must not drain, commits must succeed, and the node must be a member of its
/// cluster. Every background task must run, the search index must be built, and the store must answer.
pub async fn ready(
    engine: Data<Engine>,
    membership: Data<dyn Membership>,
    search: Data<Index>,
    reports: Data<dyn Reports>,
    draining: Data<Draining>,
) -> Result<HttpResponse, Problem> {
    if draining.has_begun() {
        return Err(Error::ShuttingDown.into());
    }
    if !engine.is_serving() {
        return Err(Error::Unavailable.into());
    }
    membership.may_own()?;
    if let Some(task) = engine.tasks().failing() {
        let detail = format!("The background task {task} failed and will restart in a moment.");
        return Err(Problem::new(Code::Unavailable, detail).retry_after_secs(1));
    }
    if !search.is_built() {
        return Err(Building.into());
    }
    reports.ping().await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

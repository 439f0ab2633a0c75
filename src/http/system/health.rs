//! Whether the process lives, and whether it can serve.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::Error;
use crate::http::code::Code;
use crate::http::openapi::names::HealthStatus;
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::search::Building;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    #[schema(value_type = HealthStatus)]
    status: &'static str,
}

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// The store answers, too, what is decided can become durable, the node is a member of its cluster and can take over room
/// types, the search index is built, and the process is not about to end.
pub async fn ready(state: Data<State>) -> Result<HttpResponse, Problem> {
    if state.draining.has_begun() {
        return Err(Error::ShuttingDown.into());
    }
    if !state.engine.is_serving() {
        return Err(Error::Unavailable.into());
    }
    state.membership.may_own()?;
    if let Some(task) = state.engine.tasks().failing() {
        let detail = format!("The background task {task} failed and starts again in a moment.");
        return Err(Problem::new(Code::Unavailable, detail).retry_after_secs(1));
    }
    if !state.search.is_built() {
        return Err(Building.into());
    }
    state.reports.ping().await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

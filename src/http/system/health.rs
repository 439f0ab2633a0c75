//! `GET /healthz` and `GET /readyz`: whether the process is alive, and whether it can serve.

use actix_web::HttpResponse;
use actix_web::web::Data;
use moka::future::Cache;
use serde::Serialize;
use utoipa::ToSchema;

use super::GOOD_FOR;
use crate::engine::{Engine, Error};
use crate::http::code::Code;
use crate::http::names::HealthStatus;
use crate::http::problem::Problem;
use crate::lease::Membership;
use crate::search::{Building, Index};
use crate::shutdown::Draining;
use crate::store::Reports;

/// Checks whether the store answers, at most once in a tenth of a second, because the endpoint has no rate limit. Clones share
/// the result.
#[derive(Clone)]
pub struct StorePing(Cache<(), Result<(), Problem>>);

impl Default for StorePing {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1).time_to_live(GOOD_FOR).build())
    }
}

impl StorePing {
    async fn ask(&self, reports: &dyn Reports) -> Result<(), Problem> {
        self.0.get_with((), async { Ok(reports.ping().await?) }).await
    }
}

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
    (reports, ping): (Data<dyn Reports>, Data<StorePing>),
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
    ping.ask(&**reports).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

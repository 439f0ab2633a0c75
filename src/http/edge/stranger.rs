//! A node that reads another database than the nodes of its cluster answers nothing from it: a booking that is missing
//! there may well exist.

use actix_web::dev::ServiceRequest;

use crate::http::problem::Problem;
use crate::http::routes::routed_path;
use crate::http::state::State;
use crate::lease::Unavailable;

/// The part of the API that is not about the store.
const ABOUT_NODES: &str = "/v1/cluster";

/// Whether a request may be answered from what this node's store holds.
pub fn check(state: &State, request: &ServiceRequest) -> Result<(), Problem> {
    let path = routed_path(request.request());
    if !path.starts_with("/v1/") || path.starts_with(ABOUT_NODES) {
        return Ok(());
    }
    match state.membership.may_own() {
        Err(Unavailable::Outsider(outsider)) if outsider.reads_another_database() => Err(outsider.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

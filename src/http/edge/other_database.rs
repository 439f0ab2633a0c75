//! A node that reads another database than the other nodes of its cluster answers nothing from it. A booking that is
//! missing there may exist in the database of the cluster.

use actix_web::dev::ServiceRequest;

use crate::http::problem::Problem;
use crate::http::wire::routed_path;
use crate::lease::{Membership, Unavailable};

/// The endpoints that do not read the store.
const CLUSTER: &str = "/v1/cluster";

/// Refuses a request for the API when this node reads another database than the cluster.
pub fn check(membership: &dyn Membership, request: &ServiceRequest) -> Result<(), Problem> {
    let path = routed_path(request.request());
    if !path.starts_with("/v1/") || path.starts_with(CLUSTER) {
        return Ok(());
    }
    match membership.may_own() {
        Err(Unavailable::Outsider(outsider)) if outsider.reads_another_database() => Err(outsider.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

//! Limits on what comes before the body.

use actix_web::dev::ServiceRequest;

use super::X_REQUEST_ID;
use crate::http::code::Code;
use crate::http::forward::FORWARDED;
use crate::http::problem::Problem;
use crate::http::throttle::CLIENT;

/// The longest address, in bytes.
pub const MAX_URI: usize = 8 * 1024;
/// The most that all headers together may have, in bytes.
pub const MAX_HEADERS: usize = 16 * 1024;

/// What nodes add when they forward is not the client's.
const ADDED_BY_NODES: [&str; 3] = [FORWARDED, X_REQUEST_ID, CLIENT];

/// Whether a request's head is small enough to be looked at. `from_node`: another node of the cluster has sent it.
pub fn check(request: &ServiceRequest, from_node: bool) -> Result<(), Problem> {
    let uri = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if uri > MAX_URI {
        return Err(Problem::new(Code::UriTooLong, format!("The address must have at most {MAX_URI} bytes.")));
    }
    let sent = request.headers().iter().filter(|(name, _)| !(from_node && ADDED_BY_NODES.contains(&name.as_str())));
    let headers: usize = sent.map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MAX_HEADERS {
        let detail = format!("The headers must have at most {MAX_HEADERS} bytes together.");
        return Err(Problem::new(Code::HeadersTooLarge, detail));
    }
    Ok(())
}

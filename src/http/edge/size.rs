//! Limits on the head of a request: the length of its path and of its headers.

use actix_web::dev::ServiceRequest;

use crate::http::code::Code;
use crate::http::limits::{MAX_HEADERS, MAX_URI};
use crate::http::problem::Problem;
use crate::http::wire::{CLIENT_NETWORK, FORWARDED, X_REQUEST_ID};

/// Headers that a node adds when it forwards. They do not count towards the client's limit.
const ADDED_BY_NODES: [&str; 3] = [FORWARDED, X_REQUEST_ID, CLIENT_NETWORK];

/// Refuses a request whose path or headers are too long. `from_node`: another node of the cluster has forwarded it.
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

//! The outermost middleware: it wraps every request, whatever its endpoint.
//!
//! It sets the request id, checks limits, opens the tracing span, counts metrics, writes the access log and sets the
//! security headers. Every error leaves as a problem document. A panic in a handler becomes a problem document too; the
//! connection and the server go on.

pub mod access_log;
mod key;
mod measure;
mod other_database;
mod query;
mod request_id;
mod size;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::web::Data;
use futures_util::FutureExt;
use tracing::Instrument;

use access_log::Answered;

use super::access::Access;
use super::code::Code;
use super::forward::{self, Peers};
use super::problem::{Problem, RequestContext};
use super::throttle::Throttle;
use super::wire::{PROBLEM_JSON, close_connection, set_request_id, set_security_headers};
use crate::clock::{Clock, IdSource};
use crate::lease::Membership;
use crate::shutdown::Draining;

pub use access_log::AccessLog;
pub use key::no_key;
pub use query::no_query;

/// What [`around`] uses.
pub struct Edge {
    pub ids: Arc<dyn IdSource>,
    pub clock: Arc<dyn Clock>,
    pub access: Access,
    pub access_log: AccessLog,
    pub throttle: Throttle,
    pub draining: Draining,
    pub membership: Arc<dyn Membership>,
    /// `None` on a node that is alone.
    pub peers: Option<Peers>,
}

/// Wraps a request and its answer.
pub async fn around<B: MessageBody + 'static>(
    edge: Data<Edge>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = measure::method_name(request.method());
    let from_node = forward::identify(edge.peers.as_ref(), edge.clock.now(), &request);
    let fits = size::check(&request, from_node);
    let client = edge.throttle.client(&request, from_node);
    let request_id = request_id::of(&request, edge.ids.as_ref());
    // The handler finds the id in the headers, also on the node that the request is forwarded to.
    set_request_id(request.headers_mut(), &request_id);
    let span = tracing::info_span!("request", request_id, method);
    let asked = edge.access_log.asked(&request, client.as_ref().ok().copied().flatten());
    let mut context =
        RequestContext { request_id, path: request.path().to_owned(), now: edge.clock.now(), is_last: false };

    let admitted = fits
        .and_then(|()| other_database::check(&*edge.membership, &request))
        .and(client)
        .and_then(|client| edge.throttle.admit(&edge.access, client, from_node, &mut request));
    let answered = match admitted {
        Ok(()) => call(request, next).instrument(span).await,
        Err(problem) => Ok(request.error_response(problem)),
    };
    context.is_last = edge.draining.has_begun();
    let problem = match &answered {
        Ok(response) => problem_in(response),
        Err(problem) => Some(problem.clone()),
    };
    let code = problem.as_ref().map(Problem::code);
    let status = answered.as_ref().map_or_else(|problem| problem.code().status(), ServiceResponse::status);
    let route = answered.as_ref().ok().and_then(|response| response.request().match_pattern());
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    let took = started.elapsed();
    if let Some(asked) = asked {
        let request_id = &context.request_id;
        edge.access_log.write(&asked, &Answered { method, route: &route, status, code, took, request_id });
    }
    measure::count(route, method, status, took);
    answered.map(|response| finish(response, problem, &context)).map_err(|problem| problem.for_request(context).into())
}

/// The handler's answer. A problem where there is none: a panic drops the request.
async fn call<B>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<BoxBody>, Problem>
where
    B: MessageBody + 'static,
{
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
        Ok(Err(error)) => Err(problem_of(&error).unwrap_or_else(|| Problem::of(Code::Internal))),
        Err(_panic) => {
            tracing::error!("a handler panicked");
            Err(Problem::of(Code::Internal))
        }
    }
}

/// The problem of an answer. A library may report a problem by the status alone. A problem document of another node is
/// relayed unchanged, so it is none here.
fn problem_in(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let has_document = response.headers().get(CONTENT_TYPE).is_some_and(|media| media == PROBLEM_JSON);
    let problem = response.response().error().and_then(problem_of);
    problem.or_else(|| (failed && !has_document).then(|| Problem::of_status(status)))
}

/// Renders the problem, if there is one, and sets the headers of every answer.
fn finish(
    response: ServiceResponse<BoxBody>,
    problem: Option<Problem>,
    context: &RequestContext,
) -> ServiceResponse<BoxBody> {
    let mut response = match problem {
        Some(problem) => response.into_response(problem.for_request(context.clone()).render()),
        None => response,
    };
    set_request_id(response.headers_mut(), &context.request_id);
    set_security_headers(response.headers_mut());
    if context.is_last {
        close_connection(response.response_mut().head_mut());
    }
    response
}

fn problem_of(error: &Error) -> Option<Problem> {
    error.as_error::<Problem>().cloned()
}

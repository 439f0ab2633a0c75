//! What happens around every request, whatever it asks for: an id, limits, a span, metrics, a line in the access log,
//! security headers, and one shape for every error. A panic in a handler becomes a problem document; the connection and
//! the server go on.

pub mod access_log;
mod key;
mod limits;
mod measure;
mod query;
mod request_id;
mod security;
mod stranger;

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use futures_util::FutureExt;
use tracing::Instrument;

use access_log::Answered;

use super::code::Code;
use super::forward;
use super::problem::{PROBLEM_JSON, Problem, Seen};
use super::state::State;

pub use access_log::AccessLog;
pub use key::no_key;
pub use query::no_query;
pub use request_id::{X_REQUEST_ID, echo};
pub use security::harden;

/// Wraps a request and its answer.
pub async fn around<B: MessageBody + 'static>(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = measure::method_name(request.method());
    let from_node = forward::identify(state.peers.as_ref(), state.clock.now(), &request);
    let fits = limits::check(&request, from_node);
    let client = state.throttle.client(&request, from_node);
    let request_id = request_id::of(&request, state.ids.as_ref());
    // Whoever handles it, here or at another node, finds the name.
    request_id::name(request.headers_mut(), &request_id);
    let span = tracing::info_span!("request", request_id, method);
    let asked = state.access_log.asked(&request, client.as_ref().ok().copied().flatten());
    let mut seen = Seen { request_id, path: request.path().to_owned(), now: state.clock.now(), is_last: false };

    let admitted = fits
        .and_then(|()| stranger::check(&state, &request))
        .and(client)
        .and_then(|client| state.throttle.admit(&state.access, client, from_node, &mut request));
    let answered = match admitted {
        Ok(()) => call(request, next).instrument(span).await,
        Err(problem) => Ok(request.error_response(problem)),
    };
    seen.is_last = state.draining.has_begun();
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
        let request_id = &seen.request_id;
        state.access_log.write(&asked, &Answered { method, route: &route, status, code, took, request_id });
    }
    measure::count(route, method, status, took);
    answered.map(|response| finish(response, problem, &seen)).map_err(|problem| problem.seen(seen).into())
}

/// The answer of whoever is responsible, or a problem where there is none: after a panic the request is gone.
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

/// What an answer says went wrong, also where a library said it by the status alone. Another node's problem is relayed as
/// it is.
fn problem_in(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let is_told = response.headers().get(CONTENT_TYPE).is_some_and(|media| media == PROBLEM_JSON);
    let problem = response.response().error().and_then(problem_of);
    problem.or_else(|| (failed && !is_told).then(|| Problem::of_status(status)))
}

/// Renders a problem, and adds what every answer has.
fn finish(response: ServiceResponse<BoxBody>, problem: Option<Problem>, seen: &Seen) -> ServiceResponse<BoxBody> {
    let mut response = match problem {
        Some(problem) => response.into_response(problem.seen(seen.clone()).render()),
        None => response,
    };
    echo(response.headers_mut(), &seen.request_id);
    harden(response.headers_mut());
    if seen.is_last {
        close(response.response_mut().head_mut());
    }
    response
}

/// Makes an answer the last on its connection, unless that is no longer one for HTTP. Whoever goes on opens another one,
/// to another node if there are several; when this node closes, no connection is left that somebody might just be
/// writing a request into.
pub fn close(head: &mut ResponseHead) {
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        head.set_connection_type(ConnectionType::Close);
    }
}

fn problem_of(error: &Error) -> Option<Problem> {
    error.as_error::<Problem>().cloned()
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;

    use super::*;

    #[test]
    fn a_connection_that_became_a_websocket_is_left_alone() {
        let mut switched = HttpResponse::SwitchingProtocols().upgrade("websocket").finish();
        close(switched.head_mut());
        assert_eq!(switched.head().connection_type(), ConnectionType::Upgrade);
        let mut answered = HttpResponse::Ok().finish();
        close(answered.head_mut());
        assert_eq!(answered.head().connection_type(), ConnectionType::Close);
    }
}

//! Answers a client, here or by the node that owns what it asks for.
//!
//! The handler runs here first. Where it names an owner, the request goes there ([`Forwarder`]). An owner may freeze or vanish
//! meanwhile: as soon as its heartbeats have run out, others may take over what it owns, and the handler runs here again,
//! to find out who does. A request that was already sent may have been done; it is repeated only where that is safe.
//!
//! Where this node cannot reach the store, and another one can, the request goes there at once.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::IF_MATCH;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest};
use tokio::time::Instant;

use super::forwarder::{Forwarder, Undelivered};
use super::recorder::Recorder;
use super::whole_body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::routes::routed_path;
use crate::http::state::State;
use crate::lease::Peer;

/// What a change of many nights may take, which is many decisions.
const BULK_WITHIN: Duration = Duration::from_secs(120);
/// How long a request looks for the next owner after it has lost one.
const FOLLOWED_FOR: Duration = Duration::from_secs(4);
/// The pause before it is asked again who owns what an owner has left.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request goes next.
enum Stop {
    /// To the owner of what it asks for: nothing was done here.
    Owner(Peer),
    /// To a node that reaches the store.
    StandIn(Peer),
}

pub async fn answer<B: MessageBody + 'static>(
    state: &State,
    forwarder: &Forwarder,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Whether a node that was asked may have done it.
    let mut unknown_outcome = false;
    if let Some(stand_in) = stand_in_for_all(state, &request) {
        let until = until(state, request.method(), Instant::now());
        let body = match whole_body(&mut request).await {
            Ok(body) => body,
            Err(problem) => return Ok(request.error_response(problem)),
        };
        match forwarder.deliver(stand_in, request.request(), body.clone(), until, state).await {
            Ok(answer) => return Ok(request.into_response(answer)),
            Err(Undelivered::Lost) if !may_be_repeated(request.request()) => {
                return Ok(request.error_response(interrupted()));
            }
            Err(undelivered) => {
                unknown_outcome = matches!(undelivered, Undelivered::Lost);
                request.set_payload(Payload::from(body));
            }
        }
    }
    let body = Recorder::of(&mut request);
    let mut answered = next.call(request).await?.map_into_boxed_body();
    let mut until = until(state, answered.request().method(), body.last_read().into());
    let mut lost_an_owner = false;
    loop {
        let (peer, is_owner) = match next_stop(state, &answered) {
            Some(Stop::Owner(owner)) => (owner, true),
            Some(Stop::StandIn(peer)) => (peer, false),
            None => return Ok(certain(answered, unknown_outcome)),
        };
        let repeatable = may_be_repeated(answered.request());
        match forwarder.deliver(peer, answered.request(), body.bytes(), until, state).await {
            Ok(answer) => return Ok(certain(answered.into_response(answer), unknown_outcome)),
            Err(Undelivered::Lost) if !repeatable => return Ok(refuse(answered, interrupted())),
            Err(Undelivered::Because(problem)) if is_owner && !unknown_outcome => return Ok(refuse(answered, problem)),
            Err(Undelivered::Because(_)) if is_owner => return Ok(refuse(answered, interrupted())),
            Err(undelivered) => unknown_outcome |= matches!(undelivered, Undelivered::Lost),
        }
        // Nothing was done here: the first answer still stands.
        if !is_owner {
            return Ok(certain(answered, unknown_outcome));
        }
        if !std::mem::replace(&mut lost_an_owner, true) {
            until = until.min(Instant::now() + FOLLOWED_FOR);
        }
        if until <= Instant::now() + PAUSE {
            let problem =
                if unknown_outcome { interrupted() } else { Problem::of(Code::OwnerMoving).retry_after_secs(1) };
            return Ok(refuse(answered, problem));
        }
        tokio::time::sleep(PAUSE).await;
        answered = next.call(once_more(answered, body.bytes())).await?.map_into_boxed_body();
    }
}

/// When a request is too old whose last bytes were read at `read`. While the process stood still, they may have waited; a
/// request that only reads does no harm late.
fn until(state: &State, method: &Method, read: Instant) -> Instant {
    let limit = if *method == Method::PUT { BULK_WITHIN } else { state.engine.answer_within() };
    let waited = if method.is_safe() { Duration::ZERO } else { state.pulse.stood_still() };
    read + limit.saturating_sub(waited)
}

/// The node that is asked instead of this one, which is known to be cut off from the store.
fn stand_in_for_all(state: &State, request: &ServiceRequest) -> Option<Peer> {
    (any_node_may_answer(routed_path(request.request())) && state.membership.is_cut_off())
        .then(|| state.membership.stand_in())?
}

/// Whether another node may answer instead: the API, except what is about this node, and what stays on its connection.
/// Readiness is always this node's own.
fn any_node_may_answer(path: &str) -> bool {
    path.starts_with("/v1/") && !path.starts_with("/v1/cluster") && path != "/v1/ws"
}

/// Who is to be asked after this node has answered. That the store cannot be reached from here says nothing of the others.
fn next_stop(state: &State, answered: &ServiceResponse<BoxBody>) -> Option<Stop> {
    let problem = answered.response().error()?.as_error::<Problem>()?;
    if let Some(owner) = problem.owner() {
        return Some(Stop::Owner(owner.clone()));
    }
    let undone = problem.is_undone() || may_be_repeated(answered.request());
    let unavailable =
        problem.code() == Code::Unavailable && undone && any_node_may_answer(routed_path(answered.request()));
    unavailable.then(|| state.membership.stand_in())?.map(Stop::StandIn)
}

/// Whether doing a request twice is doing it once: it reads, or sets what it names, or has an idempotency key where that
/// is kept.
fn may_be_repeated(request: &HttpRequest) -> bool {
    let (method, headers) = (request.method(), request.headers());
    let sets = *method == Method::PUT && !headers.contains_key(IF_MATCH);
    let has_key = routed_path(request).starts_with("/v1/bookings") && headers.contains_key("idempotency-key");
    method.is_safe() || sets || has_key
}

/// The request that was answered here, as it came.
fn once_more(answered: ServiceResponse<BoxBody>, body: Bytes) -> ServiceRequest {
    let (request, _) = answered.into_parts();
    let mut request = ServiceRequest::from_parts(request, Payload::from(body));
    // It is routed once more.
    request.match_info_mut().reset();
    request
}

/// The answer, unless an earlier node may have done what was asked, and this one only says that it did nothing itself.
fn certain(answered: ServiceResponse<BoxBody>, unknown_outcome: bool) -> ServiceResponse<BoxBody> {
    let did_nothing = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&answered.status());
    if unknown_outcome && did_nothing { refuse(answered, interrupted()) } else { answered }
}

fn interrupted() -> Problem {
    Problem::of(Code::Interrupted).retry_after_secs(1)
}

fn refuse(answered: ServiceResponse<BoxBody>, problem: Problem) -> ServiceResponse<BoxBody> {
    ServiceResponse::from_err(problem, answered.into_parts().0)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn after_an_unknown_outcome_only_an_owners_answer_is_one() {
        for code in [Code::Busy, Code::RateLimited, Code::Unavailable, Code::Expired, Code::SoldOut, Code::Stale] {
            let told = |unknown_outcome| {
                let answered = ServiceResponse::from_err(Problem::of(code), TestRequest::default().to_http_request());
                let answer = certain(answered, unknown_outcome);
                answer.response().error().and_then(|error| Some(error.as_error::<Problem>()?.code())).unwrap()
            };
            let is_owners = [Code::SoldOut, Code::Stale].contains(&code);
            assert_eq!([told(false), told(true)], [code, if is_owners { code } else { Code::Interrupted }]);
        }
    }

    #[test]
    fn a_path_is_compared_as_it_is_routed() {
        for path in ["/v1/bookings", "/%761/bookings", "/v1/%62ookings"] {
            let request = TestRequest::post().uri(path).insert_header(("idempotency-key", "k")).to_http_request();
            assert!(may_be_repeated(&request) && any_node_may_answer(routed_path(&request)), "{path}");
        }
        let request = TestRequest::get().uri("/v1/%63luster").to_http_request();
        assert!(!any_node_may_answer(routed_path(&request)));
    }
}

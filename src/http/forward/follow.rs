//! Answers a client's request, on this node or on the node that owns the room type.
//!
//! The handler runs on this node first. If it names an owner, the request is sent there ([`Forwarder`]). The owner may
//! freeze or stop. When its heartbeats have expired, another node may take over its room types. The handler then runs
//! here again and names the new owner. A request that was already sent may have been done. It is repeated only if that
//! is safe.
//!
//! If this node cannot reach the store and another node can, the request is sent to that node at once.

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
use super::{Forwarding, whole_body};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::wire::{IDEMPOTENCY_KEY, routed_path};
use crate::lease::Peer;

/// The answer limit of a bulk change of nights, which takes many decisions.
const BULK_WITHIN: Duration = Duration::from_secs(120);
/// How long a request looks for the next owner after an owner stopped living.
const FOLLOWED_FOR: Duration = Duration::from_secs(4);
/// The pause before the handler runs again to find the next owner.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request is sent next.
enum NextStop {
    /// The owner of the room type. Nothing was done here.
    Owner(Peer),
    /// A node that reaches the store.
    StandIn(Peer),
}

/// Runs the handler here, and sends the request on if another node has to answer it.
pub async fn answer<B: MessageBody + 'static>(
    here: &Forwarding,
    forwarder: &Forwarder,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Whether a node that was asked may have done it.
    let mut unknown_outcome = false;
    if let Some(stand_in) = stand_in_for_all(here, &request) {
        let until = until(here, request.method(), Instant::now());
        let body = match whole_body(&mut request).await {
            Ok(body) => body,
            Err(problem) => return Ok(request.error_response(problem)),
        };
        match forwarder.deliver(stand_in, request.request(), body.clone(), until, here).await {
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
    let mut until = until(here, answered.request().method(), body.last_read().into());
    let mut lost_an_owner = false;
    loop {
        let (peer, is_owner) = match next_stop(here, &answered) {
            Some(NextStop::Owner(owner)) => (owner, true),
            Some(NextStop::StandIn(peer)) => (peer, false),
            None => return Ok(certain(answered, unknown_outcome)),
        };
        let repeatable = may_be_repeated(answered.request());
        match forwarder.deliver(peer, answered.request(), body.bytes(), until, here).await {
            Ok(answer) => return Ok(certain(answered.into_response(answer), unknown_outcome)),
            Err(Undelivered::Lost) if !repeatable => return Ok(refuse(answered, interrupted())),
            Err(Undelivered::Because(problem)) if is_owner && !unknown_outcome => return Ok(refuse(answered, problem)),
            Err(Undelivered::Because(_)) if is_owner => return Ok(refuse(answered, interrupted())),
            Err(undelivered) => unknown_outcome |= matches!(undelivered, Undelivered::Lost),
        }
        // Nothing was done here, so the handler's answer is still right.
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

/// The deadline of a request whose last bytes were read at `read`. Time in which this process stood still counts for a
/// change: the bytes may have waited in the system. A late read does no harm.
fn until(here: &Forwarding, method: &Method, read: Instant) -> Instant {
    let limit = if *method == Method::PUT { BULK_WITHIN } else { here.engine.answer_within() };
    let waited = if method.is_safe() { Duration::ZERO } else { here.pulse.stood_still() };
    read + limit.saturating_sub(waited)
}

/// The node that answers instead of this one, if this node knows that it cannot reach the store.
fn stand_in_for_all(here: &Forwarding, request: &ServiceRequest) -> Option<Peer> {
    (any_node_may_answer(routed_path(request.request())) && here.membership.is_cut_off())
        .then(|| here.membership.stand_in())?
}

/// Whether another node may answer: every endpoint of the API, except those about this node and the WebSocket, which
/// stays on its connection. Each node reports its own readiness.
fn any_node_may_answer(path: &str) -> bool {
    path.starts_with("/v1/") && !path.starts_with("/v1/cluster") && path != "/v1/ws"
}

/// The node to ask after this node has answered. Other nodes may reach the store even if this node cannot.
fn next_stop(here: &Forwarding, answered: &ServiceResponse<BoxBody>) -> Option<NextStop> {
    let problem = answered.response().error()?.as_error::<Problem>()?;
    if let Some(owner) = problem.owner() {
        return Some(NextStop::Owner(owner.clone()));
    }
    let may_be_sent = problem.had_no_effect() || may_be_repeated(answered.request());
    let unavailable =
        problem.code() == Code::Unavailable && may_be_sent && any_node_may_answer(routed_path(answered.request()));
    unavailable.then(|| here.membership.stand_in())?.map(NextStop::StandIn)
}

/// Whether a repeat has no second effect: the request reads, or sets fixed values, or has an idempotency key on an
/// endpoint that records keys.
fn may_be_repeated(request: &HttpRequest) -> bool {
    let (method, headers) = (request.method(), request.headers());
    let sets = *method == Method::PUT && !headers.contains_key(IF_MATCH);
    let has_key = routed_path(request).starts_with("/v1/bookings") && headers.contains_key(IDEMPOTENCY_KEY);
    method.is_safe() || sets || has_key
}

/// The request that was answered here, with its body, to run the handler again.
fn once_more(answered: ServiceResponse<BoxBody>, body: Bytes) -> ServiceRequest {
    let (request, _) = answered.into_parts();
    let mut request = ServiceRequest::from_parts(request, Payload::from(body));
    // actix routes it again.
    request.match_info_mut().reset();
    request
}

/// The answer, or an unknown outcome: an earlier node may have done the change, and this answer only says that the last
/// node did nothing.
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

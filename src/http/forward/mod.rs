//! Forwarding: a request for a room type that another node owns is answered by that node.
//!
//! [`around`] stands around every handler. The handler runs as always; when it ends with a problem that names another
//! owner, nothing has been done yet, and the same request is sent there. Its answer is relayed as it is. The receiving
//! node checks [`credentials`], takes the room type if nobody else has it, and never sends the request on: where it is
//! not the owner either, it says whom it takes for the owner, and the node that the client asked tries there. The answer
//! names the node that gave it.
//!
//! While a room type moves, nodes may name each other in turn: the request then waits at the node that the client asked,
//! with growing pauses, for as long as a move takes: a few seconds, and what the last node that is asked takes. An owner
//! that freezes or vanishes on the way is followed by the next one (`follow`). A node that cannot reach the store leaves
//! everything that needs it to one that can.
//!
//! Invariants: a request is sent on only after everybody who had it before has said that nothing was done, or where doing
//! it twice is doing it once; nobody is asked later than a few seconds after the first was; a forwarded request is never
//! forwarded. No request is sent, and none is begun, that is older than the answer limit: a forwarded one carries what is
//! left of it, and one that may have waited in this machine while the process stood still counts that ([`crate::pulse`]).
//! The body is kept while it is read, so it has the limits that its handler sets.
//!
//! When the owner cannot be reached, or is no longer the node that was meant, the client hears 503, and whether repeating
//! is safe without a key.

pub mod credentials;
mod follow;
mod forwarder;
mod hop;
mod peers;
mod recorder;

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage};
use tokio::time::Instant;

use self::credentials::Claims;
use super::code::Code;
use super::extract::{body, header};
use super::problem::Problem;
use super::state::State;
use super::{bookings, nights};
use crate::domain::Timestamp;

pub use forwarder::Forwarder;
pub use peers::Peers;

/// Carries the credentials of the node that forwards.
pub const FORWARDED: &str = "innkeeper-forwarded";
/// Names the node that is to be asked instead, in an answer to a node.
pub const OWNER: HeaderName = HeaderName::from_static("innkeeper-owner");
/// Names the node that gave an answer, where another one was asked: a balancer may go there the next time.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("innkeeper-answered-by");

/// The largest body, in bytes, that any address takes.
const LARGEST_BODY: usize =
    if nights::set::LIMIT > bookings::order::LIMIT { nights::set::LIMIT } else { bookings::order::LIMIT };

/// A request that another node has sent here.
#[derive(Debug, Clone, Copy)]
pub struct Forwarded {
    /// When that node stops waiting, if it says so.
    pub by: Option<Instant>,
}

/// How long the end of a client's connection may take to be noticed after a standstill, and from which length on clients
/// are thought to have hung up. A shorter pause is a busy machine, which must not be slowed down further.
const HANG_UP: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(1);

/// Whether a node of this cluster has sent a request: what it states is kept with the request, and compared with it before
/// its handler runs.
pub fn identify(peers: Option<&Peers>, now: Timestamp, request: &ServiceRequest) -> bool {
    let Ok(Some(credentials)) = header(request.headers(), FORWARDED) else { return false };
    let Some(claims) = peers.and_then(|peers| peers.check(credentials, now)) else { return false };
    request.extensions_mut().insert(claims);
    true
}

/// Wraps a handler. There is a forwarder where there are other nodes.
pub async fn around<B: MessageBody + 'static>(
    (state, forwarder): (Data<State>, Data<Option<Forwarder>>),
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = doubt_what_was_buffered(&state, &request).await {
        return Ok(request.error_response(problem));
    }
    match header(request.headers(), FORWARDED) {
        Ok(None) => match forwarder.as_ref() {
            Some(forwarder) => follow::answer(&state, forwarder, request, next).await,
            None => Ok(next.call(request).await?.map_into_boxed_body()),
        },
        Ok(Some(_)) => receive(&state, request, next).await,
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// Refuses to change anything for a request that may have waited unread for longer than the answer limit, because this
/// process stood still. After a shorter standstill of [`LONG`] or more, clients that have hung up meanwhile are noticed
/// first: their requests are dropped.
async fn doubt_what_was_buffered(state: &State, request: &ServiceRequest) -> Result<(), Problem> {
    if request.method().is_safe() {
        return Ok(());
    }
    let (length, since) = state.pulse.standstill();
    if length + since >= state.engine.answer_within() {
        metrics::counter!("innkeeper_requests_expired_total", "place" => "door").increment(1);
        return Err(Problem::of(Code::Expired).retry_after_secs(1));
    }
    if length >= LONG {
        tokio::time::sleep(HANG_UP).await;
    }
    Ok(())
}

/// Answers another node.
async fn receive<B: MessageBody + 'static>(
    state: &State,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (read, stood_still) = (Instant::now(), state.pulse.stood_still());
    let left = match admit(&mut request).await {
        Ok(left) => left,
        Err(problem) => {
            metrics::counter!("innkeeper_forwards_refused_total").increment(1);
            return Ok(request.error_response(problem));
        }
    };
    let by = left.map(|left| read + left.saturating_sub(stood_still));
    request.extensions_mut().insert(Forwarded { by });
    // Where it ends with the name of another owner, that name is the answer.
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Lets a request in that a node of this cluster has sent to this one, as it is. How long that node waits for the answer.
async fn admit(request: &mut ServiceRequest) -> Result<Option<Duration>, Problem> {
    let refused = || Problem::of(Code::NotAPeer);
    let claims = request.extensions_mut().remove::<Claims>();
    let claims = claims.ok_or_else(refused)?;
    let body = whole_body(request).await?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if !claims.are_about(&Claims::of(request.method().as_str(), path, &body)) {
        return Err(refused());
    }
    request.set_payload(Payload::from(body));
    Ok(claims.left())
}

/// The body of a request whose handler is not run, or not yet: of any length that some handler allows.
async fn whole_body(request: &mut ServiceRequest) -> Result<Bytes, Problem> {
    let mut payload = request.take_payload();
    let payload = web::Payload::from_request(request.request(), &mut payload).await;
    body::read(payload, LARGEST_BODY).await
}

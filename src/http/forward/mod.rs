//! Forwarding: the node that owns a room type answers the requests for it.
//!
//! [`around`] wraps every handler. The handler runs first on the node that received the request. If it ends with a
//! problem that names another owner, nothing was done yet, and the node sends the same request to the owner. The answer
//! is relayed unchanged and names the node that gave it.
//!
//! The receiving node checks the [`credentials`] and takes the room type if no node owns it. It never forwards the
//! request again. If it is not the owner either, it names the owner that it knows, and the first node asks there.
//!
//! While a room type moves, nodes may name each other in turn. The request then waits at the first node, with growing
//! pauses, for a few seconds. If an owner stops living, the next owner is asked (`follow`). A node that cannot reach
//! the store forwards every request that needs the store to a node that can.
//!
//! Invariants:
//! - A request is sent on only if every earlier node said that nothing was done, or if a repeat has no second effect.
//! - A forwarded request is never forwarded.
//! - No request older than the answer limit is sent or begun. A forwarded request carries its remaining time. Time in
//!   which this process stood still counts ([`crate::pulse`]).
//! - The kept body has the limit that the handler sets.
//!
//! On failure (the owner is unreachable, or is another node than expected) the client gets 503. The code says whether
//! repeating the request without a key is safe.

pub mod credentials;
mod follow;
mod forwarder;
mod hop;
mod peers;
mod recorder;

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage};
use tokio::time::Instant;

use self::credentials::Claims;
use self::forwarder::Forwarder;
use super::code::Code;
use super::extract::{Forwarded, header};
use super::limits::{LARGEST_BODY, read_body};
use super::problem::Problem;
use super::wire::FORWARDED;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::engine::Engine;
use crate::lease::Membership;
use crate::pulse::Pulse;

pub use peers::Peers;

/// How long this node may take to notice a closed connection after a standstill.
const NOTICE_CLOSED_WITHIN: Duration = Duration::from_millis(50);
/// The standstill after which clients may have closed their connections. A shorter one is a busy machine, which must
/// not become slower.
const LONG_STANDSTILL: Duration = Duration::from_secs(1);

/// What [`around`] uses. One per worker, because connections to other nodes belong to a thread.
pub struct Forwarding {
    engine: Engine,
    membership: Arc<dyn Membership>,
    clock: Arc<dyn Clock>,
    pulse: Pulse,
    /// `None` on a node that is alone.
    forwarder: Option<Forwarder>,
}

impl Forwarding {
    pub fn new(
        engine: Engine,
        membership: Arc<dyn Membership>,
        clock: Arc<dyn Clock>,
        pulse: Pulse,
        peers: Option<&Peers>,
    ) -> Self {
        let forwarder = peers.and_then(|peers| {
            let forwarder = peers.forwarder();
            forwarder.inspect_err(|error| tracing::error!(%error, "requests cannot be sent to other nodes")).ok()
        });
        Self { engine, membership, clock, pulse, forwarder }
    }
}

/// Whether a node of this cluster has forwarded a request. Its claims are kept with the request: [`around`] compares
/// them with the request before the handler runs.
pub fn identify(peers: Option<&Peers>, now: Timestamp, request: &ServiceRequest) -> bool {
    let Ok(Some(credentials)) = header(request.headers(), FORWARDED) else { return false };
    let Some(claims) = peers.and_then(|peers| peers.check(credentials, now)) else { return false };
    request.extensions_mut().insert(claims);
    true
}

/// Wraps a handler.
pub async fn around<B: MessageBody + 'static>(
    here: Data<Forwarding>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = check_standstill(&here, &request).await {
        return Ok(request.error_response(problem));
    }
    match header(request.headers(), FORWARDED) {
        Ok(None) => match here.forwarder.as_ref() {
            Some(forwarder) => follow::answer(&here, forwarder, request, next).await,
            None => Ok(next.call(request).await?.map_into_boxed_body()),
        },
        Ok(Some(_)) => receive(&here, request, next).await,
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// Refuses a change that may have waited unread for longer than the answer limit, because this process stood still.
/// After a shorter standstill of [`LONG_STANDSTILL`] or more, waits a moment: actix then drops the requests of clients
/// that closed their connections.
async fn check_standstill(here: &Forwarding, request: &ServiceRequest) -> Result<(), Problem> {
    if request.method().is_safe() {
        return Ok(());
    }
    let (length, since) = here.pulse.standstill();
    if length + since >= here.engine.answer_within() {
        metrics::counter!("innkeeper_requests_expired_total", "place" => "door").increment(1);
        return Err(Problem::of(Code::Expired).retry_after_secs(1));
    }
    if length >= LONG_STANDSTILL {
        tokio::time::sleep(NOTICE_CLOSED_WITHIN).await;
    }
    Ok(())
}

/// Answers a request that another node has forwarded.
async fn receive<B: MessageBody + 'static>(
    here: &Forwarding,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (read, stood_still) = (Instant::now(), here.pulse.stood_still());
    let left = match admit(&mut request).await {
        Ok(left) => left,
        Err(problem) => {
            metrics::counter!("innkeeper_forwards_refused_total").increment(1);
            return Ok(request.error_response(problem));
        }
    };
    let by = left.map(|left| read + left.saturating_sub(stood_still));
    request.extensions_mut().insert(Forwarded { by });
    // A problem that names another owner is the answer: the sender asks there.
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Checks that a node of this cluster has sent exactly this request to this node. Returns how long the sender waits for
/// the answer.
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

/// The body of a request whose handler has not run. The limit is the largest limit of any handler.
async fn whole_body(request: &mut ServiceRequest) -> Result<Bytes, Problem> {
    let mut payload = request.take_payload();
    let payload = web::Payload::from_request(request.request(), &mut payload).await;
    read_body(payload, LARGEST_BODY).await
}

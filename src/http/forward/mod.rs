//! Forwarding: a request for a room type that another node owns is answered by that node.
//!
//! [`around`] stands around every handler. The handler runs as always; when it ends with a problem that names another
//! owner, nothing has been done yet, and the same request is sent there. Its answer is relayed as it is. The receiving
//! node checks [`credentials`], takes the room type if nobody else has it, and never sends the request on: where it is
//! not the owner either, it says whom it takes for the owner, and the node that the client asked tries there. The answer
//! names the node that gave it.
//!
//! While a room type moves, nodes may name each other in turn: the request then waits at the node that the client asked,
//! with growing pauses, for as long as a move takes: a few seconds, and what the last node that is asked takes.
//!
//! Invariants: a request is sent on only after everybody who had it before has said that nothing was done, and
//! nobody is asked later than a few seconds after the first was; a forwarded request is never forwarded. The body is kept
//! while it is read, so it has the limits that its handler sets.
//!
//! When the owner cannot be reached, or is no longer the node that was meant, the client hears 503, and whether repeating
//! is safe without a key.

pub mod credentials;
mod hop;
mod peers;
mod recorder;
mod relay;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::web::{self, Data};
use actix_web::{Error, FromRequest, HttpMessage};

use self::credentials::Claims;
use self::recorder::Recorder;
use super::code::Code;
use super::extract::{body, header};
use super::problem::Problem;
use super::state::State;
use super::{bookings, nights};
use crate::lease::{Asked, Peer};

pub use peers::Peers;
pub use relay::Courier;

/// Carries the credentials of the node that forwards.
pub const FORWARDED: &str = "innkeeper-forwarded";
/// Names the node that is to be asked instead, in an answer to a node.
pub const OWNER: HeaderName = HeaderName::from_static("innkeeper-owner");
/// Names the node that gave an answer, where another one was asked: a balancer may go there the next time.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("innkeeper-answered-by");

/// The largest body, in bytes, that any address takes.
const LARGEST_BODY: usize =
    if nights::set::LIMIT > bookings::order::LIMIT { nights::set::LIMIT } else { bookings::order::LIMIT };

/// Wraps a handler. There is a courier where there are other nodes.
pub async fn around<B: MessageBody + 'static>(
    (state, courier): (Data<State>, Data<Option<Courier>>),
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match header(request.headers(), FORWARDED) {
        Ok(None) => match courier.as_ref() {
            Some(courier) => forward(&state, courier, request, next).await,
            None => Ok(next.call(request).await?.map_into_boxed_body()),
        },
        Ok(Some(credentials)) => {
            let credentials = credentials.to_owned();
            receive(&state, &credentials, request, next).await
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// Answers a client, here or by the node that owns what it asks for.
async fn forward<B: MessageBody + 'static>(
    state: &State,
    courier: &Courier,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let body = Recorder::of(&mut request);
    let answered = next.call(request).await?.map_into_boxed_body();
    let Some(owner) = owner_of(&answered) else { return Ok(answered) };
    let answer = courier.deliver(owner, answered.request(), body.bytes(), &*state.clock).await;
    Ok(match answer {
        Ok(answer) => answered.into_response(answer),
        Err(problem) => ServiceResponse::from_err(problem, answered.into_parts().0),
    })
}

/// Answers another node.
async fn receive<B: MessageBody + 'static>(
    state: &State,
    credentials: &str,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = admit(state, credentials, &mut request).await {
        metrics::counter!("innkeeper_forwards_refused_total").increment(1);
        return Ok(request.error_response(problem));
    }
    request.extensions_mut().insert(Asked::Forwarded);
    // Where it ends with the name of another owner, that name is the answer.
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Lets a request in that a node of this cluster has sent to this one, as it is.
async fn admit(state: &State, credentials: &str, request: &mut ServiceRequest) -> Result<(), Problem> {
    let refused = || Problem::of(Code::NotAPeer);
    let claims = state.peers.as_ref().and_then(|peers| peers.check(credentials, state.clock.now()));
    let claims = claims.ok_or_else(refused)?;
    let mut payload = request.take_payload();
    let payload = web::Payload::from_request(request.request(), &mut payload).await;
    let body = body::read(payload, LARGEST_BODY).await?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if !claims.are_about(&Claims::of(request.method().as_str(), path, &body)) {
        return Err(refused());
    }
    request.set_payload(Payload::from(body));
    Ok(())
}

/// The node that an answer names instead of answering.
fn owner_of(answer: &ServiceResponse<BoxBody>) -> Option<Peer> {
    answer.response().error()?.as_error::<Problem>()?.owner().cloned()
}

//! Takes a request to another node and brings back the answer.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::body::{self, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::stream;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use tokio::time::Instant;

use super::credentials::{Claims, Seal};
use super::hop::Hop;
use super::{ANSWERED_BY, FORWARDED, OWNER};
use crate::domain::Timestamp;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::lease::{Membership, NodeId, Peer};

/// How long a node may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a node's machine may leave unacknowledged what was sent to it. One that has vanished without a word would
/// else keep every request that is sent over an older connection for as long as the slowest answer may take. A node
/// that is merely slow, or frozen, still has a system that acknowledges.
#[cfg(target_os = "linux")]
const GONE_AFTER: Duration = Duration::from_secs(2);
/// What a node may take longer than it is left: to read, to write, and for the way there and back.
const MARGIN: Duration = Duration::from_secs(2);
/// How often it is looked whether a node still lives that has not answered yet.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a room type that is on its way is followed, with what the nodes took to say so: after that nobody is asked
/// any more. Nodes see each other anew every second at the latest; until then two of them may each take the other for
/// the owner.
const ARRIVES_WITHIN: Duration = Duration::from_secs(4);
/// The pauses meanwhile, growing from the first to the longest.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// Connections to one node that wait for the next request.
const IDLE_CONNECTIONS: usize = 64;
/// The largest answer that is relayed, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Takes requests to other nodes.
pub struct Forwarder {
    seal: Seal,
    client: Client,
}

/// What a node made of a request.
enum Delivered {
    Answer(HttpResponse),
    /// It did nothing: that node is to be asked.
    Moved(Peer),
    /// It did nothing: it gave up waiting for the request, which it had only begun to read when it froze.
    Unread,
    /// It did nothing: it cannot be reached, or is not the node that was meant.
    Unreachable,
    /// It was sent nothing: it no longer counts as living.
    Gone,
    /// Nobody knows what it did.
    Lost,
}

/// Why there is no answer.
pub enum Undelivered {
    /// Nothing was done, for this reason.
    Because(Problem),
    /// Nothing was done: the node no longer counts as living, and others may take over what it owned.
    Gone,
    /// Nobody knows whether it was done: the node fell silent, and may have been followed by another.
    Lost,
}

impl Forwarder {
    /// A connection that has been idle for half of `keep_alive` is used no more: no request is written into one that its
    /// receiver is about to close, and then nobody knew whether it was read.
    pub fn new(seal: Seal, keep_alive: Duration) -> reqwest::Result<Self> {
        let client = Client::builder();
        #[cfg(target_os = "linux")]
        let client = client.tcp_user_timeout(GONE_AFTER);
        let client = client
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(keep_alive / 2)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()?;
        Ok(Self { seal, client })
    }

    /// The answer of whoever owns what is asked for, as far as `owner` and the nodes it names know. Where they name each
    /// other, the room type is on its way, and is waited for.
    pub async fn deliver(
        &self,
        mut owner: Peer,
        request: &HttpRequest,
        body: Bytes,
        until: Instant,
        here: &State,
    ) -> Result<HttpResponse, Undelivered> {
        let because = |code| Err(Undelivered::Because(Problem::of(code).retry_after_secs(1)));
        let (mut pauses, since) = (pauses(), Instant::now());
        loop {
            // Whoever was asked before has done nothing.
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                metrics::counter!("innkeeper_requests_expired_total", "place" => "way").increment(1);
                return because(Code::Expired);
            }
            let outcome = self.ask(&owner, request, body.clone(), left, here).await;
            let name = match &outcome {
                Delivered::Answer(_) => "answered",
                Delivered::Gone => "gone",
                Delivered::Moved(_) => "moved",
                Delivered::Unread => "unread",
                Delivered::Unreachable => "unreachable",
                Delivered::Lost => "lost",
            };
            metrics::counter!("innkeeper_forwards_total", "outcome" => name).increment(1);
            match outcome {
                Delivered::Answer(answer) => return Ok(signed(answer, &owner.node)),
                Delivered::Moved(to) => owner = to,
                Delivered::Unread => {}
                Delivered::Unreachable => return because(Code::OwnerUnreachable),
                Delivered::Gone => return Err(Undelivered::Gone),
                Delivered::Lost => return Err(Undelivered::Lost),
            }
            match pause(&mut pauses, since.elapsed()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return because(Code::OwnerMoving),
            }
        }
    }

    /// Asks a node, for as long as it counts as living: what it owned may be taken over when it does not. When nobody waits
    /// for its answer any more, the connection is closed, by which it knows.
    async fn ask(&self, owner: &Peer, request: &HttpRequest, body: Bytes, left: Duration, here: &State) -> Delivered {
        if !here.membership.lives(&owner.node) {
            return Delivered::Gone;
        }
        // Sealed anew: an earlier node may have taken as long as a seal is good for.
        let Some(forwarded) = self.write(owner, request, body, left, here.clock.now()) else {
            tracing::error!(node = %owner.node, url = &*owner.url, "a request cannot be written for this node");
            return Delivered::Unreachable;
        };
        tokio::select! {
            delivered = send(forwarded, owner, request) => delivered,
            () = death_of(&owner.node, &*here.membership) => {
                tracing::warn!(node = %owner.node, "a node stopped living before it answered");
                Delivered::Lost
            }
        }
    }

    /// The same request, sealed for its receiver.
    fn write(
        &self,
        owner: &Peer,
        request: &HttpRequest,
        body: Bytes,
        left: Duration,
        now: Timestamp,
    ) -> Option<RequestBuilder> {
        let path = request.uri().path_and_query()?.as_str();
        let url = Url::parse(&format!("{}{path}", owner.url)).ok()?;
        // As it will be sent: a library may write an address in another way.
        let sent = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let claims = Claims::of(request.method().as_str(), &sent, &body).waiting(left);
        let seal = self.seal.sign(&owner.node, claims, now)?;
        let method = Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
        let mut forwarded = self.client.request(method, url).timeout(left + MARGIN).header(FORWARDED, seal);
        let hop = Hop::of(request.headers().get_all(header::CONNECTION).map(|value| value.as_bytes()));
        for (name, value) in request.headers().iter().filter(|(name, _)| hop.lets_pass(name.as_str())) {
            forwarded = forwarded.header(name.as_str(), value.as_bytes());
        }
        Some(if body.is_empty() { forwarded } else { forwarded.body(body) })
    }
}

/// Sends a request, and reads what becomes of it.
async fn send(forwarded: RequestBuilder, owner: &Peer, request: &HttpRequest) -> Delivered {
    match forwarded.send().await {
        Ok(answer) if answer.status().as_u16() == Code::NotAPeer.status().as_u16() => {
            tracing::error!(node = %owner.node, url = &*owner.url, "another node, or one with another secret or clock");
            Delivered::Unreachable
        }
        // This node sends all of a request at once, so it was not the sender that was too slow.
        Ok(answer) if answer.status().as_u16() == StatusCode::REQUEST_TIMEOUT.as_u16() => Delivered::Unread,
        Ok(answer) => read(answer, request.method() == http::Method::HEAD).await,
        Err(error) if error.is_connect() => {
            tracing::warn!(node = %owner.node, %error, "a node cannot be reached");
            Delivered::Unreachable
        }
        Err(error) => {
            tracing::warn!(node = %owner.node, %error, "a node did not answer");
            Delivered::Lost
        }
    }
}

/// Ends when a node no longer counts as living.
async fn death_of(node: &NodeId, membership: &dyn Membership) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if !membership.lives(node) {
            return;
        }
    }
}

/// The next pause, where a room type was followed for so long. What a node takes to answer counts too.
fn pause(pauses: &mut ExponentialBackoff, followed: Duration) -> Option<Duration> {
    if followed < ARRIVES_WITHIN { pauses.next() } else { None }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .build()
}

/// The answer of a node, or what it says instead. `head`: an answer to HEAD.
async fn read(answer: Response, head: bool) -> Delivered {
    if let Some(owner) = answer.headers().get(OWNER.as_str()) {
        return match owner.to_str().ok().and_then(peer) {
            Some(owner) => Delivered::Moved(owner),
            None => Delivered::Unreachable,
        };
    }
    let Ok(status) = StatusCode::from_u16(answer.status().as_u16()) else { return Delivered::Lost };
    let mut relayed = HttpResponse::build(status);
    let hop = Hop::of(answer.headers().get_all("connection").iter().map(|value| value.as_bytes()));
    for (name, value) in answer.headers().iter().filter(|(name, _)| hop.lets_pass(name.as_str())) {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            relayed.append_header((name, value));
        }
    }
    if head {
        return Delivered::Answer(without_body(relayed, &answer));
    }
    match body(answer).await {
        Some(body) => Delivered::Answer(relayed.body(body)),
        None => Delivered::Lost,
    }
}

/// An answer to HEAD, which has the length of a body but none.
fn without_body(mut relayed: HttpResponseBuilder, answer: &Response) -> HttpResponse {
    let length = answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) => relayed.body(SizedStream::new(length, stream::empty::<Result<Bytes, Infallible>>())),
        None => relayed.body(body::None::new()),
    }
}

/// The whole body, if it arrives and is not too large.
async fn body(mut answer: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(bytes) = answer.chunk().await.ok()? {
        if body.len() + bytes.len() > MAX_ANSWER {
            return None;
        }
        body.extend_from_slice(&bytes);
    }
    Some(body)
}

/// An answer that names who gave it.
fn signed(mut answer: HttpResponse, by: &NodeId) -> HttpResponse {
    if let Ok(name) = by.as_str().parse() {
        answer.headers_mut().insert(ANSWERED_BY, name);
    }
    answer
}

/// A node as another one names it.
fn peer(text: &str) -> Option<Peer> {
    let (node, url) = text.split_once(' ')?;
    Some(Peer { node: node.parse().ok()?, url: url.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_type_is_followed_for_a_time_however_that_was_spent() {
        let mut many = pauses();
        assert!((0..10_000).all(|_| pause(&mut many, Duration::ZERO).is_some()), "nodes that answer at once");
        assert_eq!(pause(&mut pauses(), ARRIVES_WITHIN), None, "one node that was slow");
    }
}

//! Sends a request to another node and returns its answer.

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

use super::Forwarding;
use super::credentials::{Claims, Signer};
use super::hop::Hop;
use crate::domain::Timestamp;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::wire::{ANSWERED_BY, FORWARDED, OWNER};
use crate::lease::{Membership, NodeId, Peer};

/// How long a node may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long another machine may leave sent bytes unacknowledged. Without this limit, a machine that lost its power
/// would hold each request on an older connection for the whole answer limit. The kernel of a slow or frozen node still
/// acknowledges.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(2);
/// Time beyond the deadline for reading, writing and the network.
const MARGIN: Duration = Duration::from_secs(2);
/// How often a waiting request checks whether the other node still lives.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a request follows a moving room type, with the time that the nodes take to answer. Nodes refresh their view
/// of the cluster every second. Until then two nodes may each name the other as the owner.
const MOVES_WITHIN: Duration = Duration::from_secs(4);
/// The first and the longest pause while a request follows a moving room type.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// Idle connections to one node.
const IDLE_CONNECTIONS: usize = 64;
/// The largest answer that is relayed, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Sends requests to other nodes.
pub struct Forwarder {
    signer: Signer,
    client: Client,
}

/// How another node answered a request.
enum Delivered {
    Answer(HttpResponse),
    /// Nothing was done. The node names this owner.
    Moved(Peer),
    /// Nothing was done. The node froze while it read the request, and then timed out.
    Unread,
    /// Nothing was done. The node cannot be reached, or is another node than expected.
    Unreachable,
    /// Nothing was sent. The node no longer lives.
    Gone,
    /// The outcome is unknown.
    Lost,
}

/// Why no node answered.
pub enum Undelivered {
    /// Nothing was done. The problem says why.
    Because(Problem),
    /// Nothing was done. The node no longer lives, and other nodes may take over its room types.
    Gone,
    /// The outcome is unknown: the node stopped answering, and another node may have taken over.
    Lost,
}

impl Forwarder {
    /// A connection that was idle for half of `keep_alive` is not used again. Otherwise a request might be written
    /// while the receiver closes the connection, and its outcome would be unknown.
    pub fn new(signer: Signer, keep_alive: Duration) -> reqwest::Result<Self> {
        let client = Client::builder();
        #[cfg(target_os = "linux")]
        let client = client.tcp_user_timeout(UNACKNOWLEDGED_WITHIN);
        let client = client
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(keep_alive / 2)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()?;
        Ok(Self { signer, client })
    }

    /// The answer of the owner. Starts at `owner`, and follows the owners that the nodes name. Nodes that name each
    /// other mean that the room type moves: the request waits and asks again.
    pub async fn deliver(
        &self,
        mut owner: Peer,
        request: &HttpRequest,
        body: Bytes,
        until: Instant,
        here: &Forwarding,
    ) -> Result<HttpResponse, Undelivered> {
        let because = |code| Err(Undelivered::Because(Problem::of(code).retry_after_secs(1)));
        let (mut pauses, since) = (pauses(), Instant::now());
        loop {
            // Every node that was asked before has done nothing.
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
                Delivered::Answer(answer) => return Ok(with_node(answer, &owner.node)),
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

    /// Asks a node while it lives. When it no longer does, other nodes may take over its room types. A dropped future
    /// closes the connection, so the other node sees that the client no longer waits.
    async fn ask(
        &self,
        owner: &Peer,
        request: &HttpRequest,
        body: Bytes,
        left: Duration,
        here: &Forwarding,
    ) -> Delivered {
        if !here.membership.lives(&owner.node) {
            return Delivered::Gone;
        }
        // Signed again for each node: an earlier node may have taken longer than a signature is valid.
        let Some(forwarded) = self.write(owner, request, body, left, here.clock.now()) else {
            tracing::error!(node = %owner.node, url = &*owner.url, "a request cannot be forwarded: the address of the node is invalid");
            return Delivered::Unreachable;
        };
        tokio::select! {
            delivered = send(forwarded, owner, request) => delivered,
            () = death_of(&owner.node, &*here.membership) => {
                tracing::warn!(node = %owner.node, "a node stopped sending heartbeats before it answered a forwarded request");
                Delivered::Lost
            }
        }
    }

    /// The same request, with credentials for its receiver.
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
        // As it is sent: the library may normalize the address.
        let sent = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let claims = Claims::of(request.method().as_str(), &sent, &body).waiting(left);
        let credentials = self.signer.sign(&owner.node, claims, now)?;
        let method = Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
        let mut forwarded = self.client.request(method, url).timeout(left + MARGIN).header(FORWARDED, credentials);
        let hop = Hop::of(request.headers().get_all(header::CONNECTION).map(|value| value.as_bytes()));
        for (name, value) in request.headers().iter().filter(|(name, _)| hop.lets_pass(name.as_str())) {
            forwarded = forwarded.header(name.as_str(), value.as_bytes());
        }
        Some(if body.is_empty() { forwarded } else { forwarded.body(body) })
    }
}

/// Sends a request and reads the answer.
async fn send(forwarded: RequestBuilder, owner: &Peer, request: &HttpRequest) -> Delivered {
    match forwarded.send().await {
        Ok(answer) if answer.status().as_u16() == Code::NotAPeer.status().as_u16() => {
            tracing::error!(node = %owner.node, url = &*owner.url, "a node refused the credentials: check the URL, the secret and the clock of both nodes");
            Delivered::Unreachable
        }
        // This node sends the whole request at once, so the receiver stood still.
        Ok(answer) if answer.status().as_u16() == StatusCode::REQUEST_TIMEOUT.as_u16() => Delivered::Unread,
        Ok(answer) => read(answer, request.method() == http::Method::HEAD).await,
        Err(error) if error.is_connect() => {
            tracing::warn!(node = %owner.node, %error, "a node is unreachable");
            Delivered::Unreachable
        }
        Err(error) => {
            tracing::warn!(node = %owner.node, %error, "a node did not answer a forwarded request");
            Delivered::Lost
        }
    }
}

/// Ends when a node no longer lives.
async fn death_of(node: &NodeId, membership: &dyn Membership) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if !membership.lives(node) {
            return;
        }
    }
}

/// The next pause, or `None` when the request has followed the room type for too long. The time that nodes take to
/// answer counts.
fn pause(pauses: &mut ExponentialBackoff, followed: Duration) -> Option<Duration> {
    if followed < MOVES_WITHIN { pauses.next() } else { None }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Reads the answer of a node. `head`: an answer to HEAD.
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

/// An answer to HEAD: it has the length of a body, but no body.
fn without_body(mut relayed: HttpResponseBuilder, answer: &Response) -> HttpResponse {
    let length = answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) => relayed.body(SizedStream::new(length, stream::empty::<Result<Bytes, Infallible>>())),
        None => relayed.body(body::None::new()),
    }
}

/// The whole body. `None` if the connection breaks or the body is too large.
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

/// Adds the header that names the node.
fn with_node(mut answer: HttpResponse, by: &NodeId) -> HttpResponse {
    if let Ok(name) = by.as_str().parse() {
        answer.headers_mut().insert(ANSWERED_BY, name);
    }
    answer
}

/// Parses the header that names an owner.
fn peer(text: &str) -> Option<Peer> {
    let (node, url) = text.split_once(' ')?;
    Some(Peer { node: node.parse().ok()?, url: url.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_room_type_is_followed_for_a_limited_time() {
        let mut many = pauses();
        assert!((0..10_000).all(|_| pause(&mut many, Duration::ZERO).is_some()), "nodes answer at once");
        assert_eq!(pause(&mut pauses(), MOVES_WITHIN), None, "one node was slow");
    }
}

//! Rate limits of public callers, and limits on their live holds.
//!
//! Owns the counters of callers without a token: by network ([`net`]), by contact details and by live hold. The edge
//! calls [`Throttle::admit`] before any other work, the handler of bookings calls [`Throttle::booking`]. The
//! administrator is never limited. The share of a night that public holds may take is a rule of the domain
//! ([`crate::domain::Order::hold_share`]).
//!
//! Invariants: a request is charged once, at the node that received it from the client, even if another node answers it
//! or its handler runs again. A repeat of an idempotency key is charged to its network only. Memory is bounded
//! (`rate::MAX_KEYS`, [`holds::MAX_HOLDS`]). Counters are not stored: a restart clears them. Each node counts on its
//! own.

pub mod holds;
pub mod net;
pub mod proxies;
mod rate;
mod sockets;

use std::future::{Ready, ready};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use moka::sync::Cache;

use self::holds::{HoldPermit, LiveHolds, Owner};
use self::net::Net;
use self::proxies::TrustedProxies;
use self::rate::Policy;
use self::sockets::{LiveSockets, SocketPermit};
use super::access::Access;
use super::code::Code;
use super::extract::caller::Principal;
use super::problem::{Exceeded, Problem};
use super::wire::{CLIENT_NETWORK, FORWARDED, routed_path};
use crate::domain::holds::HoldShare;
use crate::domain::{Booking, Order, Timestamp};
use crate::engine;
use crate::store::KeyDigest;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Endpoints without a rate limit: probes, and documents that do not reach the engine.
const UNLIMITED: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json"];

/// The window of the limit of one contact, in seconds.
const CONTACT_SECS: u64 = 600;
/// The most idempotency keys that are kept as charged.
const MAX_CHARGED: u64 = 100_000;

/// Whether a path, or the pattern of a route, has no rate limit.
pub fn is_unlimited(path: &str) -> bool {
    UNLIMITED.contains(&path) || path.starts_with("/docs")
}

/// Settings of the limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// The share of a room type's rooms that public holds may take of a night.
    pub hold_share: HoldShare,
    /// How long a hold lives.
    pub hold_ttl: Duration,
}

/// The limits, or none if they are switched off. A clone is cheap and shares the counters.
#[derive(Clone, Default)]
pub struct Throttle {
    limits: Option<Arc<Limits>>,
    /// The proxies whose X-Forwarded-For names the client.
    proxies: Arc<TrustedProxies>,
}

struct Limits {
    options: Options,
    read: Policy,
    write: Policy,
    connect: Policy,
    contact: Policy,
    /// Idempotency keys that were charged to a contact within [`CONTACT_SECS`]. A repeat is not charged again.
    charged: Cache<KeyDigest, ()>,
    holds: LiveHolds,
    sockets: LiveSockets,
    /// Hashes contact details, so that memory holds no personal data.
    hasher: std::hash::RandomState,
}

impl Throttle {
    /// Without options, no caller is limited.
    pub fn new(options: Option<Options>, proxies: TrustedProxies) -> Self {
        Self { limits: options.map(|options| Arc::new(Limits::new(options))), proxies: Arc::new(proxies) }
    }

    /// The network of the client. `None` if the connection has no address. `from_node`: another node of the cluster has
    /// forwarded the request, and names the network.
    pub fn client(&self, request: &ServiceRequest, from_node: bool) -> Result<Option<Net>, Problem> {
        if from_node {
            return Ok(named(request.headers()));
        }
        let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else { return Ok(None) };
        let mut forwarded = request.headers().get_all(X_FORWARDED_FOR).peekable();
        if forwarded.peek().is_some() && !self.proxies.contains(peer) {
            metrics::counter!("innkeeper_untrusted_proxy_requests_total").increment(1);
            tracing::debug!(
                %peer,
                "an untrusted address sends X-Forwarded-For, so all its clients share one rate limit; \
                 if the address is your proxy, add it to INNKEEPER_TRUSTED_PROXIES"
            );
        }
        let client = self.proxies.client(peer, forwarded.map(|value| value.as_bytes()));
        let malformed =
            || Problem::new(Code::MalformedHeader, "X-Forwarded-For must be addresses, separated by commas.");
        client.map(|client| Some(Net::of(client))).ok_or_else(malformed)
    }

    /// Charges a request to its client. A forwarded request was charged at the first node.
    pub fn admit(
        &self,
        access: &Access,
        client: Option<Net>,
        from_node: bool,
        request: &mut ServiceRequest,
    ) -> Result<(), Problem> {
        if from_node {
            return Ok(());
        }
        // A client cannot set the header that names its network.
        request.headers_mut().remove(CLIENT_NETWORK);
        let (Some(limits), Some(net)) = (&self.limits, client) else { return Ok(()) };
        if let Ok(value) = HeaderValue::from_str(&net.to_string()) {
            request.headers_mut().insert(HeaderName::from_static(CLIENT_NETWORK), value);
        }
        let path = routed_path(request.request());
        if is_unlimited(path) || is_administrator(access, request.headers()) {
            return Ok(());
        }
        let policy = match request.method() {
            _ if path == "/v1/ws" => &limits.connect,
            &(Method::GET | Method::HEAD | Method::OPTIONS) => &limits.read,
            _ => &limits.write,
        };
        policy.charge_net(net).map_err(exceeded)
    }

    /// Charges a booking to its contact details. Reserves a slot for a hold, and sets the share of a night that public
    /// holds may take.
    pub fn booking(
        &self,
        (client, principal): (Client, Principal),
        order: &mut Order,
        key: Option<&engine::Key>,
        now: Timestamp,
    ) -> Result<Option<HoldPermit>, Problem> {
        let Some(limits) = self.limits.as_deref().filter(|_| principal == Principal::Public) else { return Ok(None) };
        let contact = &order.contact;
        let email = contact.email.as_ref().map(|email| email.comparable());
        let people = [Some(contact.mobile.as_str()), email.as_deref()];
        let people: Vec<u64> = people.into_iter().flatten().map(|text| limits.hasher.hash_one(text)).collect();
        if !client.is_charged {
            limits.charge_contact(&people, key)?;
        }
        if !order.hold {
            return Ok(None);
        }
        order.hold_share = Some(limits.options.hold_share);
        let owners = client.net.map(Owner::Net).into_iter().chain(people.into_iter().map(Owner::Contact));
        limits.holds.reserve(owners.collect(), key.map(|key| key.digest), now).map(Some).map_err(exceeded)
    }

    /// Counts a WebSocket of a client. Returns the caller that its messages are charged to.
    pub fn socket(&self, access: &Access, client: Client, headers: &HeaderMap) -> Result<SocketCaller, Problem> {
        let (Some(limits), Some(net)) = (&self.limits, client.net) else { return Ok(SocketCaller::default()) };
        if is_administrator(access, headers) {
            return Ok(SocketCaller::default());
        }
        let permit = limits.sockets.enter(net).map_err(exceeded)?;
        Ok(SocketCaller(Some(Charged { limits: limits.clone(), net, _permit: permit })))
    }

    /// The share of a night that the hold of a public caller may take when it is changed.
    pub fn hold_share(&self, principal: Principal) -> Option<HoldShare> {
        let limits = self.limits.as_deref().filter(|_| principal != Principal::Administrator)?;
        Some(limits.options.hold_share)
    }

    /// Releases the slot of a booking that is no longer a hold.
    pub fn changed(&self, booking: &Booking) {
        if let Some(limits) = self.limits.as_deref().filter(|_| booking.status.expires_at().is_none()) {
            limits.holds.release(booking.id);
        }
    }

    /// Drops the counters of callers with a full allowance, and the slots of expired holds.
    pub fn forget(&self, now: Timestamp) {
        let Some(limits) = &self.limits else { return };
        for policy in [&limits.read, &limits.write, &limits.connect, &limits.contact] {
            policy.forget();
        }
        limits.holds.forget(now);
    }
}

impl Limits {
    fn new(options: Options) -> Self {
        let seconds = Duration::from_secs(CONTACT_SECS);
        Self {
            holds: LiveHolds::new(options.hold_ttl),
            sockets: LiveSockets::default(),
            options,
            read: Policy::new("public-read", 600, 60),
            write: Policy::new("public-write", 30, 60),
            connect: Policy::new("ws-connect", 10, 60),
            contact: Policy::new("public-contact", 10, CONTACT_SECS),
            charged: Cache::builder().max_capacity(MAX_CHARGED).time_to_live(seconds).build(),
            hasher: Default::default(),
        }
    }

    /// Charges a booking to its contact details. A repeat of a charged key is free: it cannot book again.
    fn charge_contact(&self, people: &[u64], key: Option<&engine::Key>) -> Result<(), Problem> {
        if key.is_some_and(|key| self.charged.contains_key(&key.digest)) {
            return Ok(());
        }
        self.contact.charge(people).map_err(exceeded)?;
        if let Some(key) = key {
            self.charged.insert(key.digest, ());
        }
        Ok(())
    }
}

/// The caller that has opened a WebSocket. Dropping it ends the count of the WebSocket. The default has no limits.
#[derive(Default)]
pub struct SocketCaller(Option<Charged>);

struct Charged {
    limits: Arc<Limits>,
    net: Net,
    _permit: SocketPermit,
}

impl SocketCaller {
    /// Charges a message that reads the store, like a request that reads.
    pub fn charge_read(&self) -> Result<(), Problem> {
        self.0.as_ref().map_or(Ok(()), |Charged { limits, net, .. }| limits.read.charge_net(*net).map_err(exceeded))
    }
}

fn is_administrator(access: &Access, headers: &HeaderMap) -> bool {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.split_once(' '));
    token.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && access.is_administrator(token.trim()))
}

fn exceeded(exceeded: Exceeded) -> Problem {
    metrics::counter!("innkeeper_rate_limited_total", "policy" => exceeded.policy).increment(1);
    Problem::new(Code::RateLimited, format!("The limit {} of public callers is reached.", exceeded.policy))
        .retry_after_secs(exceeded.retry_after_secs)
        .exceeding(exceeded)
}

/// The network that the edge or another node has set in the header.
fn named(headers: &HeaderMap) -> Option<Net> {
    headers.get(CLIENT_NETWORK)?.to_str().ok()?.parse().ok()
}

/// The client of a request.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    net: Option<Net>,
    /// Another node has charged and forwarded the request, or its handler runs again.
    is_charged: bool,
}

/// Marks a request whose handler has run.
struct HasRun;

/// [`Throttle::admit`] has replaced the header of a client, and `forward` has checked that a node forwarded the
/// request.
impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let net = named(request.headers());
        let has_run = request.extensions_mut().insert(HasRun).is_some();
        ready(Ok(Self { net, is_charged: has_run || request.headers().contains_key(FORWARDED) }))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn the_network_header_of_a_client_is_removed_even_without_limits() {
        let mut request = TestRequest::default().insert_header((CLIENT_NETWORK, "192.0.2.1")).to_srv_request();
        let throttle = Throttle::default();
        assert_eq!(throttle.client(&request, false).unwrap(), None);
        throttle.admit(&Access::new(None, [0; 32]), None, false, &mut request).unwrap();
        assert!(!request.headers().contains_key(CLIENT_NETWORK));
        let request = TestRequest::default().insert_header((CLIENT_NETWORK, "192.0.2.1")).to_srv_request();
        assert_eq!(
            throttle.client(&request, true).unwrap(),
            Some("192.0.2.1".parse().unwrap()),
            "a node has set the header"
        );
    }

    #[test]
    fn a_request_whose_handler_runs_again_is_charged_already() {
        let request = TestRequest::default().to_http_request();
        let is_charged = || Client::extract(&request).into_inner().unwrap().is_charged;
        assert_eq!([is_charged(), is_charged()], [false, true]);
    }
}

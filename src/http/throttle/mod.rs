//! Limits of public callers: how many requests in a time, how many holds at once.
//!
//! Owns what this node remembers of callers without a name: by network ([`net`]), by contact details, by live hold. The
//! edge asks [`Throttle::admit`] before anything else happens, the handler of bookings asks [`Throttle::booking`]. The
//! administrator is never limited. It decides nothing about rooms: how much of a night public holds may take is the
//! domain's rule ([`crate::domain::Order::hold_share`]).
//!
//! Invariants: a request is charged at the node that the client asked, once, also where another node answers it. Memory
//! is bounded (`rate::MAX_KEYS`, [`holds::MAX_HOLDS`]). Nothing here is stored: a restart forgets it. Each node counts
//! for itself.

pub mod holds;
pub mod net;
pub mod proxies;
mod rate;

use std::future::{Ready, ready};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest};

use self::holds::{HoldPermit, LiveHolds, Owner};
use self::net::Net;
use self::proxies::TrustedProxies;
use self::rate::{Key, Policy};
use super::access::Access;
use super::code::Code;
use super::extract::caller::Principal;
use super::forward::FORWARDED;
use super::problem::{Exceeded, Problem};
use crate::domain::holds::HoldShare;
use crate::domain::{Booking, Order, Timestamp};
use crate::engine;

/// Carries the client's network from the node that was asked to the node that answers.
pub const CLIENT: &str = "innkeeper-client";

/// What stays open to everybody at any rate: probes, and pages that never reach the engine.
const FREE: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json"];

/// How public callers are limited.
#[derive(Debug, Clone)]
pub struct Options {
    /// The share of a room type's rooms that public holds may take of a night.
    pub hold_share: HoldShare,
    /// Whose word about a client's address is believed.
    pub proxies: TrustedProxies,
}

/// The limits. A clone is cheap.
#[derive(Clone, Default)]
pub struct Throttle(Option<Arc<Limits>>);

struct Limits {
    options: Options,
    read: Policy,
    write: Policy,
    connect: Policy,
    contact: Policy,
    holds: LiveHolds,
    /// Makes numbers of contact details, so that none are kept.
    hasher: std::hash::RandomState,
    /// Whether an untrusted proxy has been told about.
    warned: AtomicBool,
}

impl Throttle {
    pub fn new(options: Options) -> Self {
        Self(Some(Arc::new(Limits {
            options,
            read: Policy::new("public-read", 600, 60),
            write: Policy::new("public-write", 30, 60),
            connect: Policy::new("ws-connect", 10, 60),
            contact: Policy::new("public-contact", 10, 600),
            holds: LiveHolds::default(),
            hasher: Default::default(),
            warned: AtomicBool::new(false),
        })))
    }

    /// Charges a request to its caller, before anything else is done for it.
    pub fn admit(&self, access: &Access, request: &mut ServiceRequest) -> Result<(), Problem> {
        let Some(limits) = &self.0 else { return Ok(()) };
        // The sender was charged by the node that sends this on, or is about to be refused as no node.
        if request.headers().contains_key(FORWARDED) {
            return Ok(());
        }
        let client = limits.client(request);
        request.headers_mut().remove(CLIENT);
        let Some(net) = client else { return Ok(()) };
        if let Ok(value) = HeaderValue::from_str(&net.to_string()) {
            request.headers_mut().insert(HeaderName::from_static(CLIENT), value);
        }
        let path = request.match_info().as_str();
        if FREE.contains(&path) || path.starts_with("/docs") || is_administrator(access, request) {
            return Ok(());
        }
        let policy = match request.method() {
            _ if path == "/v1/ws" => &limits.connect,
            &(Method::GET | Method::HEAD | Method::OPTIONS) => &limits.read,
            _ => &limits.write,
        };
        policy.charge_net(net).map_err(exceeded)
    }

    /// Charges a booking to its contact, and finds a place for a hold. Tells the domain how much holds may take.
    pub fn booking(
        &self,
        (client, principal): (Client, Principal),
        order: &mut Order,
        key: Option<&engine::Key>,
        now: Timestamp,
    ) -> Result<Option<HoldPermit>, Problem> {
        let Some(limits) = self.0.as_deref().filter(|_| principal == Principal::Public) else { return Ok(None) };
        let contact = &order.contact;
        let email = contact.email.as_ref().map(|email| email.comparable());
        let people = [Some(contact.mobile.as_str()), email.as_deref()].map(|text| Some(limits.hasher.hash_one(text?)));
        if !client.is_forwarded {
            for person in people.into_iter().flatten() {
                limits.contact.charge(&Key::Contact(person)).map_err(exceeded)?;
            }
        }
        if !order.hold {
            return Ok(None);
        }
        order.hold_share = Some(limits.options.hold_share);
        let owners = client.net.map(Owner::Net).into_iter().chain(people.into_iter().flatten().map(Owner::Contact));
        limits.holds.reserve(owners.collect(), key.map(|key| key.digest), now).map(Some).map_err(exceeded)
    }

    /// How much of a night a public caller's hold may take when it grows.
    pub fn hold_share(&self, principal: Principal) -> Option<HoldShare> {
        let limits = self.0.as_deref().filter(|_| principal != Principal::Administrator)?;
        Some(limits.options.hold_share)
    }

    /// Notes that a booking is not, or no longer, a hold.
    pub fn changed(&self, booking: &Booking) {
        if let Some(limits) = self.0.as_deref().filter(|_| booking.status.expires_at().is_none()) {
            limits.holds.release(booking.id);
        }
    }

    /// Forgets callers who have all their allowance again, and holds that have run out.
    pub fn forget(&self, now: Timestamp) {
        let Some(limits) = &self.0 else { return };
        for policy in [&limits.read, &limits.write, &limits.connect, &limits.contact] {
            policy.forget();
        }
        limits.holds.forget(now);
    }
}

impl Limits {
    /// The network that a request comes from; `None` where the connection has no address.
    fn client(&self, request: &ServiceRequest) -> Option<Net> {
        let peer = request.peer_addr()?.ip();
        let mut forwarded = request.headers().get_all("x-forwarded-for").peekable();
        if forwarded.peek().is_some()
            && !self.options.proxies.contains(peer)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                "requests come with X-Forwarded-For from an address that is not trusted, so all of them share one limit: \
                 if it is your proxy, name it in INNKEEPER_TRUSTED_PROXIES"
            );
        }
        Some(Net::of(self.options.proxies.client(peer, forwarded.filter_map(|value| value.to_str().ok()))))
    }
}

fn is_administrator(access: &Access, request: &ServiceRequest) -> bool {
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.split_once(' '));
    token.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && access.is_administrator(token.trim()))
}

fn exceeded(exceeded: Exceeded) -> Problem {
    metrics::counter!("innkeeper_rate_limited_total", "policy" => exceeded.policy).increment(1);
    Problem::new(Code::RateLimited, format!("The limit {} of public callers is reached.", exceeded.policy))
        .retry_after_secs(exceeded.retry_after_secs)
        .exceeding(exceeded)
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    net: Option<Net>,
    /// Another node sent it here, after it was charged there.
    is_forwarded: bool,
}

/// The edge has removed what the client itself says, and [`super::forward`] has checked that a node sent it on.
impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get(CLIENT).and_then(|value| value.to_str().ok());
        let net = header.and_then(|net| net.parse().ok());
        ready(Ok(Self { net, is_forwarded: request.headers().contains_key(FORWARDED) }))
    }
}

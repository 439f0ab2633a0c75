//! Credentials of a forwarded request: a signed statement about this one request, for one receiver and a short time.
//!
//! An attacker that recorded the credentials can repeat this request at this receiver for 30 seconds. If the receiver's
//! clock is behind, the time is up to a minute ([`CLOCKS_APART`]).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Timestamp;
use crate::lease::NodeId;
use crate::lease::node_tokens::{CLOCKS_APART, NodeTokens};
use crate::secret::Secret;

/// The signed statement about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    method: String,
    /// The path with the query.
    path: String,
    /// SHA-256 of the body, in base64url.
    body: String,
    /// Milliseconds for which the sender still waits for the answer. Absent from nodes of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
}

impl Claims {
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let body = BASE64URL_NOPAD.encode(&Sha256::digest(body));
        Self { method: method.to_owned(), path: path.to_owned(), body, left_ms: None }
    }

    /// Adds how long the sender waits for the answer.
    pub fn waiting(self, left: Duration) -> Self {
        Self { left_ms: Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)), ..self }
    }

    /// How long the sender waits for the answer, counted from the signature. `None` if it does not say.
    pub fn left(&self) -> Option<Duration> {
        self.left_ms.map(Duration::from_millis)
    }

    /// Whether the statement is about this request.
    pub fn are_about(&self, request: &Self) -> bool {
        (&self.method, &self.path, &self.body) == (&request.method, &request.path, &request.body)
    }
}

/// Signs and checks claims with the secret of the cluster.
#[derive(Clone)]
pub struct Signer {
    me: NodeId,
    node_tokens: NodeTokens,
}

impl Signer {
    pub fn new(me: NodeId, secret: &Secret) -> Self {
        Self { me, node_tokens: NodeTokens::new(secret) }
    }

    /// Signs claims for one receiver. `None` only if the library cannot sign.
    pub fn sign(&self, to: &NodeId, claims: Claims, now: Timestamp) -> Option<String> {
        self.node_tokens.sign(&self.me, to.as_str(), claims, now, CLOCKS_APART)
    }

    /// The claims of a token that a node of this cluster signed for this node, and that is valid at `now`.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Claims> {
        self.node_tokens.check(token, self.me.as_str(), now).map(|(_, claims)| claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn signer(node: &str, secret: &str) -> Signer {
        Signer::new(node.parse().unwrap(), &Secret::new(secret))
    }

    fn claims() -> Claims {
        Claims::of("POST", "/v1/bookings", b"{}")
    }

    fn signed() -> String {
        signer("one", "secret").sign(&"two".parse().unwrap(), claims(), at(NOW)).unwrap()
    }

    #[test]
    fn the_receiver_accepts_a_token_for_30_seconds() {
        for now in [NOW - 30, NOW, NOW + 29] {
            assert_eq!(signer("two", "secret").check(&signed(), at(now)), Some(claims()));
        }
    }

    #[test]
    fn an_expired_foreign_or_forged_token_is_refused() {
        assert_eq!(signer("two", "secret").check(&signed(), at(NOW + 30)), None, "expired");
        assert_eq!(signer("two", "secret").check(&signed(), at(NOW - 31)), None, "the sender's clock is ahead");
        assert_eq!(signer("three", "secret").check(&signed(), at(NOW)), None, "for another node");
        assert_eq!(signer("two", "another").check(&signed(), at(NOW)), None, "from another cluster");
        let unsigned = format!("{}.", signed().rsplit_once('.').unwrap().0);
        for forged in ["", "x", "a.b.c", &unsigned] {
            assert_eq!(signer("two", "secret").check(forged, at(NOW)), None, "{forged}");
        }
    }

    #[test]
    fn a_token_is_valid_for_one_request_only() {
        for other in [
            Claims::of("PATCH", "/v1/bookings", b"{}"),
            Claims::of("POST", "/v1/bookings?x=1", b"{}"),
            Claims::of("POST", "/v1/bookings", b"{ }"),
        ] {
            assert!(!claims().are_about(&other));
        }
        assert!(claims().waiting(Duration::from_secs(3)).are_about(&claims()));
    }
}

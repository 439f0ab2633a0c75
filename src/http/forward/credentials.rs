//! How a node shows that a request comes from another one: a signed statement about this one request, good for a short
//! while and for one receiver. Whoever recorded it can repeat this request at this receiver for 30 seconds, or up to a
//! minute where the receiver's clock is behind ([`CLOCKS_APART`]).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Secret;
use crate::domain::Timestamp;
use crate::lease::NodeId;
use crate::lease::node_tokens::{CLOCKS_APART, NodeTokens};

/// What it states about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    method: String,
    /// With the query.
    path: String,
    /// SHA-256, in base64url.
    body: String,
    /// Milliseconds for which the sender still waits for the answer; nodes of an older version do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
}

impl Claims {
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let body = BASE64URL_NOPAD.encode(&Sha256::digest(body));
        Self { method: method.to_owned(), path: path.to_owned(), body, left_ms: None }
    }

    /// Waits for the answer for so long.
    pub fn waiting(self, left: Duration) -> Self {
        Self { left_ms: Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)), ..self }
    }

    /// For how long the sender waited for the answer when it made the statement, if it says so.
    pub fn left(&self) -> Option<Duration> {
        self.left_ms.map(Duration::from_millis)
    }

    pub fn are_about(&self, request: &Self) -> bool {
        (&self.method, &self.path, &self.body) == (&request.method, &request.path, &request.body)
    }
}

/// Signs and checks statements under the secret of the cluster.
#[derive(Clone)]
pub struct Seal {
    me: NodeId,
    node_tokens: NodeTokens,
}

impl Seal {
    pub fn new(me: NodeId, secret: &Secret) -> Self {
        Self { me, node_tokens: NodeTokens::new(secret) }
    }

    /// `None` only if the library cannot sign.
    pub fn sign(&self, to: &NodeId, claims: Claims, now: Timestamp) -> Option<String> {
        self.node_tokens.sign(&self.me, to.as_str(), claims, now, CLOCKS_APART)
    }

    /// What a node of this cluster states to this one at `now`.
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

    fn seal(node: &str, secret: &str) -> Seal {
        Seal::new(node.parse().unwrap(), &Secret::new(secret))
    }

    fn claims() -> Claims {
        Claims::of("POST", "/v1/bookings", b"{}")
    }

    fn signed() -> String {
        seal("one", "secret").sign(&"two".parse().unwrap(), claims(), at(NOW)).unwrap()
    }

    #[test]
    fn a_statement_reaches_the_node_it_was_made_for() {
        for now in [NOW - 30, NOW, NOW + 29] {
            assert_eq!(seal("two", "secret").check(&signed(), at(now)), Some(claims()));
        }
    }

    #[test]
    fn what_is_old_foreign_or_forged_is_worth_nothing() {
        assert_eq!(seal("two", "secret").check(&signed(), at(NOW + 30)), None, "too old");
        assert_eq!(seal("two", "secret").check(&signed(), at(NOW - 31)), None, "of a clock that is ahead");
        assert_eq!(seal("three", "secret").check(&signed(), at(NOW)), None, "for somebody else");
        assert_eq!(seal("two", "another").check(&signed(), at(NOW)), None, "of another cluster");
        let unsigned = format!("{}.", signed().rsplit_once('.').unwrap().0);
        for forged in ["", "x", "a.b.c", &unsigned] {
            assert_eq!(seal("two", "secret").check(forged, at(NOW)), None, "{forged}");
        }
    }

    #[test]
    fn a_statement_is_about_one_request() {
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

//! Node tokens: texts that a node signs with the cluster secret (JWT, RFC 7519, HMAC with SHA-256). Each has an issuer, an
//! audience and an expiry.
//!
//! The clocks of two nodes may be [`CLOCKS_APART`]. A token that was issued further in the future is refused. A token that is
//! valid for `t` is accepted for up to `t` plus [`CLOCKS_APART`], if the receiver's clock is behind.
//!
//! Only a program that knows the secret can make or change a token. The audience is part of the token, so a token for one
//! purpose is not valid for another (RFC 8725, section 3.12).

use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NodeId;
use crate::domain::Timestamp;
use crate::secret::Secret;

/// The largest difference of two nodes' clocks, in both directions.
pub const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(30);

/// The signed content.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NodeToken<T> {
    /// The node that signs.
    iss: String,
    /// The audience.
    aud: String,
    /// Issue time, in seconds since 1970.
    iat: i64,
    /// Expiry, in seconds since 1970.
    exp: i64,
    #[serde(flatten)]
    claims: T,
}

/// Signs and verifies.
#[derive(Clone)]
pub struct NodeTokens {
    sign: EncodingKey,
    check: DecodingKey,
}

impl NodeTokens {
    pub fn new(secret: &Secret) -> Self {
        let secret = secret.expose().as_bytes();
        Self { sign: EncodingKey::from_secret(secret), check: DecodingKey::from_secret(secret) }
    }

    /// Signs claims at `now`. `None` only if the library cannot sign.
    pub fn sign<T: Serialize>(
        &self,
        by: &NodeId,
        to: &str,
        claims: T,
        now: Timestamp,
        good_for: SignedDuration,
    ) -> Option<String> {
        let (iat, exp) = (now.as_second(), now.as_second().saturating_add(good_for.as_secs()));
        let statement = NodeToken { iss: by.to_string(), aud: to.to_owned(), iat, exp, claims };
        encode(&Header::new(Algorithm::HS256), &statement, &self.sign).ok()
    }

    /// The issuer and the claims of a token for `to` that is valid at `now`.
    pub fn check<T: DeserializeOwned + Clone>(&self, text: &str, to: &str, now: Timestamp) -> Option<(NodeId, T)> {
        let (by, statement) = self.read(text, to)?;
        let latest = now.as_second().saturating_add(CLOCKS_APART.as_secs());
        (statement.exp > now.as_second() && statement.iat <= latest).then_some((by, statement.claims))
    }

    /// Like `check`, whatever the issue time: the claims contain their own.
    pub fn open<T: DeserializeOwned + Clone>(&self, text: &str, to: &str) -> Option<(NodeId, T)> {
        self.read(text, to).map(|(by, statement)| (by, statement.claims))
    }

    fn read<T: DeserializeOwned + Clone>(&self, text: &str, to: &str) -> Option<(NodeId, NodeToken<T>)> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[to]);
        rules.set_required_spec_claims(&["exp", "aud", "iss"]);
        // The caller's clock decides, not the library's.
        rules.validate_exp = false;
        let statement = decode::<NodeToken<T>>(text, &self.check, &rules).ok()?.claims;
        Some((statement.iss.parse().ok()?, statement))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Whether a token that is valid for 30 seconds is accepted by a clock that differs by so much.
    fn believed(apart: i64) -> bool {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (node_tokens, by) = (NodeTokens::new(&Secret::new("secret")), "one".parse().unwrap());
        let text = node_tokens.sign(&by, "two", BTreeMap::from([("what", "this")]), at(NOW), CLOCKS_APART);
        node_tokens.check::<BTreeMap<String, String>>(&text.unwrap(), "two", at(NOW + apart)).is_some()
    }

    #[test]
    fn clocks_may_be_apart_so_far_either_way() {
        assert_eq!([-30, 0, 29].map(believed), [true; 3]);
        assert_eq!([-31, 30].map(believed), [false; 2]);
    }
}

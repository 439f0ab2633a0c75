//! What a node states under the secret of its cluster: a signed text (JWT, RFC 7519, HMAC with SHA-256) by one node, for
//! one audience, good for a while.
//!
//! Whoever knows the secret is a node; nobody else can make a statement or change one. To whom it is made is part of it,
//! so that what was meant for one purpose is worth nothing for another (RFC 8725, section 3.12).

use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NodeId;
use crate::config::Secret;
use crate::domain::Timestamp;

/// How far the clocks of two nodes may be apart: a statement is good for as much longer than is needed.
pub const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(30);

/// A statement as it is signed.
#[derive(Debug, Serialize, Deserialize)]
struct Statement<T> {
    /// The node that makes it.
    iss: String,
    /// Whom it is made to.
    aud: String,
    /// Until when it is good, in seconds since 1970.
    exp: i64,
    #[serde(flatten)]
    claims: T,
}

/// Signs and checks.
#[derive(Clone)]
pub struct Signet {
    sign: EncodingKey,
    check: DecodingKey,
}

impl Signet {
    pub fn new(secret: &Secret) -> Self {
        let secret = secret.expose().as_bytes();
        Self { sign: EncodingKey::from_secret(secret), check: DecodingKey::from_secret(secret) }
    }

    /// `None` only if the library cannot sign.
    pub fn sign<T: Serialize>(&self, by: &NodeId, to: &str, claims: T, until: Timestamp) -> Option<String> {
        let statement = Statement { iss: by.to_string(), aud: to.to_owned(), exp: until.as_second(), claims };
        encode(&Header::new(Algorithm::HS256), &statement, &self.sign).ok()
    }

    /// Who states what, in a text that was made to `to` and is good at `now`.
    pub fn check<T: DeserializeOwned + Clone>(&self, text: &str, to: &str, now: Timestamp) -> Option<(NodeId, T)> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[to]);
        rules.set_required_spec_claims(&["exp", "aud", "iss"]);
        // By our clock, not the library's.
        rules.validate_exp = false;
        let statement = decode::<Statement<T>>(text, &self.check, &rules).ok()?.claims;
        let by = statement.iss.parse().ok()?;
        (statement.exp > now.as_second()).then_some((by, statement.claims))
    }
}

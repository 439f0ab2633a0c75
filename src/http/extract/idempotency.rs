//! The header Idempotency-Key: a repeated request gets the first answer.
//!
//! A key belongs to its caller. Public callers have no name, so their keys also belong to the contact details in the
//! body. Another caller cannot block or probe the key `order-1001` without the phone number and the e-mail address. A
//! random key, such as a UUID, is safe even from callers that know the contact details. Guessable keys are accepted:
//! they suffice against a repeated click.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sha2::{Digest, Sha256};

use super::caller::Principal;
use super::header;
use crate::domain::{Contact, Email};
use crate::engine::Key;
use crate::http::code::Code;
use crate::http::limits::MAX_IDEMPOTENCY_KEY;
use crate::http::problem::Problem;
use crate::http::wire::IDEMPOTENCY_KEY;
use crate::store::{Fingerprint, KeyDigest};

/// The idempotency key of a request, if it has one, with the method and path of the request.
#[derive(Debug)]
pub struct IdempotencyKey {
    key: Option<String>,
    method: String,
    path: String,
    /// The contact details in the body, if it has them.
    contact: Option<Contact>,
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = header(request.headers(), IDEMPOTENCY_KEY).and_then(check);
        let (method, path) = (request.method().to_string(), request.path().to_owned());
        ready(key.map(|key| Self { key, method, path, contact: None }))
    }
}

impl IdempotencyKey {
    /// Adds the contact details of the request.
    pub fn from_contact(self, contact: &Contact) -> Self {
        Self { contact: Some(contact.clone()), ..self }
    }

    /// The key as the engine records it: bound to `principal`, and to the method, the path and the body.
    pub fn bind(&self, principal: Principal, canonical_body: &[u8]) -> Option<Key> {
        let key = self.key.as_deref()?;
        let owner = match principal {
            Principal::Public => self.public(),
            Principal::Administrator => "administrator".to_owned(),
            Principal::Guest(booking) => format!("guest {booking}"),
        };
        let digest = KeyDigest(digest(&[owner.as_bytes(), key.as_bytes()]));
        let used_for = [self.method.as_bytes(), self.path.as_bytes(), canonical_body];
        Some(Key { digest, fingerprint: Fingerprint(self::digest(&used_for)) })
    }
}

impl IdempotencyKey {
    /// The owner of a public caller's key: its contact details.
    fn public(&self) -> String {
        let contact = self.contact.as_ref();
        let mobile = contact.map_or("", |contact| contact.mobile.as_str());
        let email = contact.and_then(|contact| contact.email.as_ref()).map(Email::comparable);
        // No mobile number has a space.
        format!("public {mobile} {}", email.unwrap_or_default())
    }
}

fn check(key: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let fits = (1..=MAX_IDEMPOTENCY_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    match fits {
        true => Ok(Some(key.to_owned())),
        false => {
            let detail = format!("Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters.");
            Err(Problem::new(Code::MalformedHeader, detail))
        }
    }
}

/// SHA-256 over all parts. The length of each part is hashed before it, so different lists have different digests.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Mobile;

    fn key(key: &str, path: &str) -> IdempotencyKey {
        IdempotencyKey { key: Some(key.into()), method: "POST".into(), path: path.into(), contact: None }
    }

    fn contact(mobile: &str, email: Option<&str>) -> Contact {
        let email = email.map(|email| Email::parse(email).unwrap());
        Contact { mobile: Mobile::parse(mobile).unwrap(), email }
    }

    #[test]
    fn a_public_key_belongs_to_the_contact_it_came_with() {
        let digest = |mobile: &str, email: Option<&str>, principal| {
            key("order-1001", "/a").from_contact(&contact(mobile, email)).bind(principal, b"").unwrap().digest
        };
        let ana = digest("+351912345678", Some("ana@example.com"), Principal::Public);
        assert_eq!(ana, digest("+351 912 345 678", Some("Ana@Example.com"), Principal::Public));
        for (mobile, email) in [("+351912345678", None), ("+351912345679", Some("ana@example.com"))] {
            assert_ne!(ana, digest(mobile, email, Principal::Public));
        }
        let administrators = digest("+351912345678", None, Principal::Administrator);
        assert_eq!(administrators, digest("+351912345679", None, Principal::Administrator));
    }

    #[test]
    fn a_key_belongs_to_its_principal() {
        let (public, admin) =
            (key("k", "/a").bind(Principal::Public, b""), key("k", "/a").bind(Principal::Administrator, b""));
        assert_ne!(public.unwrap().digest, admin.unwrap().digest);
    }

    #[test]
    fn the_fingerprint_covers_path_and_body() {
        let print = |path, body| key("k", path).bind(Principal::Public, body).unwrap().fingerprint;
        assert_eq!(print("/a", b"{}"), print("/a", b"{}"));
        assert_ne!(print("/a", b"{}"), print("/b", b"{}"));
        assert_ne!(print("/a", b"{}"), print("/a", b"{\"a\":1}"));
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        assert!(check(Some(&"k".repeat(255))).is_ok());
        for bad in ["", "a b", "\u{e9}", &"k".repeat(256)] {
            assert_eq!(check(Some(bad)).unwrap_err().code(), Code::MalformedHeader);
        }
    }
}

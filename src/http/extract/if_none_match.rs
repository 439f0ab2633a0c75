//! The header If-None-Match: the client has an earlier answer and asks whether it is still current.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, ETag, Header};
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;

/// The ETags of the answers that the client has. An unreadable header matches nothing.
#[derive(Debug)]
pub struct IfNoneMatch(Option<header::IfNoneMatch>);

impl IfNoneMatch {
    /// Whether the client already has the answer with this ETag.
    pub fn has(&self, tag: &ETag) -> bool {
        match &self.0 {
            Some(header::IfNoneMatch::Any) => true,
            Some(header::IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag.0)),
            None => false,
        }
    }
}

impl FromRequest for IfNoneMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(header::IfNoneMatch::parse(request).ok())))
    }
}

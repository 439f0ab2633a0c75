//! The header If-None-Match: the client has an answer already, does it still hold?

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, ETag, Header};
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;

/// The tags of answers that the client has. Tags that cannot be read match nothing.
#[derive(Debug)]
pub struct IfNoneMatch(Option<header::IfNoneMatch>);

impl IfNoneMatch {
    /// Whether the client already has what the tag stands for.
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

//! The header If-None-Match: the client has an answer already, does it still hold?

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETag, Header, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;

/// The tags of answers that the client has. Tags that cannot be read match nothing.
#[derive(Debug)]
pub struct Known(Option<IfNoneMatch>);

impl Known {
    /// Whether the client already has what the tag stands for.
    pub fn has(&self, tag: &ETag) -> bool {
        match &self.0 {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag.0)),
            None => false,
        }
    }
}

impl FromRequest for Known {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(IfNoneMatch::parse(request).ok())))
    }
}

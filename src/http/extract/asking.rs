//! The engine, told where the request came in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::state;
use crate::engine::Engine;
use crate::http::problem::Problem;
use crate::lease::Asked;

/// The engine for everything that a room type's owner decides. A request that another node has sent here insists.
pub struct Asking(pub Engine);

impl FromRequest for Asking {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let forwarded = request.extensions().get::<Asked>() == Some(&Asked::Forwarded);
        ready(state(request).map(|state| match forwarded {
            true => Self(state.engine.forwarded()),
            false => Self(state.engine.clone()),
        }))
    }
}

//! The engine, told where the request came in, and how old it may be.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::state;
use crate::engine::{Engine, Origin};
use crate::http::forward::Forwarded;
use crate::http::problem::Problem;
use crate::lease::Asked;

/// The engine for everything that a room type's owner decides. A request that another node has sent here insists, and has
/// as much time as that node leaves it.
pub struct OwnerEngine(pub Engine);

impl FromRequest for OwnerEngine {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let forwarded = request.extensions().get::<Forwarded>().copied();
        ready(state(request).map(|state| {
            let asked = if forwarded.is_some() { Asked::Forwarded } else { Asked::Here };
            let answer_by = forwarded.and_then(|Forwarded { by }| by);
            Self(state.engine.on_behalf_of(Origin { asked, answer_by, pulse: state.pulse.clone() }))
        }))
    }
}

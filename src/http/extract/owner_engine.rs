//! The engine, with the origin and the deadline of a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tokio::time::Instant;

use super::data;
use crate::engine::{Engine, Origin};
use crate::http::problem::Problem;
use crate::lease::Asked;
use crate::pulse::Pulse;

/// Marks a request that another node has forwarded to this one.
#[derive(Debug, Clone, Copy)]
pub struct Forwarded {
    /// When the sender stops waiting for the answer. `None` if the sender does not say.
    pub by: Option<Instant>,
}

/// The engine for everything that the owner of a room type decides. A forwarded request makes this node take the room
/// type if no node owns it, and has the deadline that its sender set.
pub struct OwnerEngine(pub Engine);

impl FromRequest for OwnerEngine {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(owner_engine(request).map(Self))
    }
}

fn owner_engine(request: &HttpRequest) -> Result<Engine, Problem> {
    let forwarded = request.extensions().get::<Forwarded>().copied();
    let asked = if forwarded.is_some() { Asked::Forwarded } else { Asked::Here };
    let answer_by = forwarded.and_then(|forwarded| forwarded.by);
    let pulse = data::<Pulse>(request)?.clone();
    Ok(data::<Engine>(request)?.on_behalf_of(Origin { asked, answer_by, pulse }))
}

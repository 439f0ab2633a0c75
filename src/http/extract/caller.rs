//! Who asks: the public, the administrator, or somebody with a booking's manage token.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{header, id, state};
use crate::domain::BookingId;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// Somebody, as far as idempotency keys are concerned: a key belongs to who used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    Public,
    Administrator,
    /// Has the manage token of a booking.
    Guest(BookingId),
}

/// The administrator, and nobody else.
#[derive(Debug)]
pub struct Administrator;

/// Anybody. A token is not needed, but a wrong one is refused.
#[derive(Debug)]
pub struct Booker(pub Principal);

/// Somebody who may see and change the booking of the path. It may still not exist.
#[derive(Debug)]
pub struct Manager {
    pub booking: BookingId,
    pub principal: Principal,
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(administrator(request))
    }
}

impl FromRequest for Booker {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(booker(request))
    }
}

impl FromRequest for Manager {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(manager(request))
    }
}

fn administrator(request: &HttpRequest) -> Result<Administrator, Problem> {
    let access = &state(request)?.access;
    let token = bearer(request)?.ok_or_else(|| Problem::of(Code::Unauthorized))?;
    if access.is_administrator(token) {
        return Ok(Administrator);
    }
    // A guest who is known here is told that this is not for guests.
    match id::named(request, "booking_id") {
        Some(booking) if access.may_manage(token, booking) => Err(Problem::of(Code::Forbidden)),
        _ => Err(Problem::of(Code::Unauthorized)),
    }
}

fn booker(request: &HttpRequest) -> Result<Booker, Problem> {
    match bearer(request)? {
        None => Ok(Booker(Principal::Public)),
        Some(token) if state(request)?.access.is_administrator(token) => Ok(Booker(Principal::Administrator)),
        Some(_) => Err(Problem::of(Code::Unauthorized)),
    }
}

/// A wrong token is answered before anything is looked up, so it cannot tell which bookings exist.
fn manager(request: &HttpRequest) -> Result<Manager, Problem> {
    let access = &state(request)?.access;
    let token = bearer(request)?.ok_or_else(|| Problem::of(Code::Unauthorized))?;
    let booking = id::named(request, "booking_id").ok_or_else(|| Problem::of(Code::NoSuchBooking))?;
    if access.is_administrator(token) {
        return Ok(Manager { booking, principal: Principal::Administrator });
    }
    match access.may_manage(token, booking) {
        true => Ok(Manager { booking, principal: Principal::Guest(booking) }),
        false => Err(Problem::of(Code::NoSuchBooking)),
    }
}

/// The bearer token (RFC 6750) of a request, if it has one.
fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(value) = header(request.headers(), "authorization")? else { return Ok(None) };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::new(Code::Unauthorized, "Authorization must be Bearer and a token.")),
    }
}

//! The caller of a request: the public, the administrator, or a guest with the manage token of a booking.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{data, header, id};
use crate::domain::BookingId;
use crate::http::access::Access;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// A caller. An idempotency key belongs to the principal that used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    Public,
    Administrator,
    /// A caller with the manage token of a booking.
    Guest(BookingId),
}

/// The administrator. Other callers are refused.
#[derive(Debug)]
pub struct Administrator;

/// Any caller. No token is needed, but a wrong token is refused.
#[derive(Debug)]
pub struct Booker(pub Principal);

/// A caller that may read and change the booking in the path. The booking need not exist.
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
    let access = data::<Access>(request)?;
    let token = bearer(request)?.ok_or_else(|| Problem::of(Code::Unauthorized))?;
    if access.is_administrator(token) {
        return Ok(Administrator);
    }
    // A valid manage token is not enough here: 403 instead of 401.
    match id::named(request, "booking_id") {
        Some(booking) if access.may_manage(token, booking) => Err(Problem::of(Code::Forbidden)),
        _ => Err(Problem::of(Code::Unauthorized)),
    }
}

fn booker(request: &HttpRequest) -> Result<Booker, Problem> {
    match bearer(request)? {
        None => Ok(Booker(Principal::Public)),
        Some(token) if data::<Access>(request)?.is_administrator(token) => Ok(Booker(Principal::Administrator)),
        Some(_) => Err(Problem::of(Code::Unauthorized)),
    }
}

/// A wrong token is refused before the store is read, so the answer does not reveal which bookings exist.
fn manager(request: &HttpRequest) -> Result<Manager, Problem> {
    let access = data::<Access>(request)?;
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

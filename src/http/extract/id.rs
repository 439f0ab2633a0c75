//! Ids in the path of a request.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::BookingId;
use crate::http::code::Code;
use crate::http::problem::Problem;

/// The `{id}` of a path. A text that is no id is answered with 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: FromStr> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            named(request, "id")
                .map(Self)
                .ok_or_else(|| Problem::new(Code::NotFound, "The id in the path is not a UUID.")),
        )
    }
}

/// The `{booking_id}` of a path, for the administrator.
#[derive(Debug)]
pub struct BookingPath(pub BookingId);

impl FromRequest for BookingPath {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "booking_id").map(Self).ok_or_else(|| Problem::of(Code::NoSuchBooking)))
    }
}

/// The segment of a path with this name, if it is an id.
pub fn named<T: FromStr>(request: &HttpRequest, name: &str) -> Option<T> {
    request.match_info().get(name)?.parse().ok()
}

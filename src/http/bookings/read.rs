//! `GET /v1/bookings/{booking_id}`: reads a booking.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::moves::booked;
use crate::http::access::Access;
use crate::http::answer::etag;
use crate::http::code::Code;
use crate::http::extract::{IfNoneMatch, Manager};
use crate::http::problem::Problem;
use crate::store::Journal;

pub async fn handle(
    journal: Data<dyn Journal>,
    access: Data<Access>,
    manager: Manager,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let booking = journal.booking(manager.booking).await?.ok_or_else(|| Problem::of(Code::NoSuchBooking))?;
    let tag = etag(booking.sequence);
    if known.has(&tag) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    Ok(booked(StatusCode::OK, &access, &booking))
}

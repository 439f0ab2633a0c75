//! What `/openapi.json` says about bookings.

use super::order::{AmendmentBody, OrderBody};
use super::view::BookingView;
use crate::domain::{Date, Status};
use crate::http::code::Code;
use crate::http::openapi::example;
use crate::http::openapi::operation::{Doc, get, patch, post};
use crate::http::openapi::schemas::Kind;
use crate::http::page::List;

const CREATE: &str = "Open to the public. Where several rate plans sell the stay, name one of them by `rate_plan_id`, or ask for \
                      the cheapest (`\"rate_plan\": \"cheapest\"`); else the answer is `rate_plan_required` with the plans. \
                      Every room needs an adult. With `hold` the rooms are kept until `expires_at`; confirm it in time. Sold \
                      out is 409, with the nights and the reasons.";
const AMEND: &str = "Dates, rooms and guests. Rooms keep the prices of the nights that they keep; added nights and added \
                     rooms cost what they cost today. Rooms that were added last are given back first. Capacity is only \
                     needed for what is new. Nights or rooms are given back as long as cancelling is free; later only \
                     the administrator can do that. From the day after the arrival date on, the arrival and the \
                     number of rooms stay. A change that asks for what is so already is answered with the booking \
                     as it is, whatever its status.";
const CANCEL: &str = "A booking is cancelled for the fee of the policy it was sold under, a hold is released for \
                      nothing. Its nights are free at once. From the day after the arrival date on a booking cannot be \
                      cancelled: the hotel records a no-show, or checks the guests in.";
const VERSION: &str = "Only if the booking is still at this `sequence`.";
const SEEN: &str = "Only if the room type's availability is still at this `sequence`: books exactly what you saw.";

/// Why a stay may not be sold.
const RULES: &[Code] = &[
    Code::SoldOut,
    Code::Closed,
    Code::Restricted,
    Code::ArrivalInThePast,
    Code::BeyondHorizon,
    Code::TooManyNights,
    Code::Occupancy,
    Code::TotalTooLarge,
    Code::TooManyHolds,
];
const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "`true` when this is the answer to an earlier request.");
const VERSIONED: &[(&str, &str)] = &[("ETag", "The booking's sequence number."), REPLAYED];
const CREATED: &[(&str, &str)] =
    &[("ETag", "The booking's sequence number."), ("Location", "The booking's address."), REPLAYED];

pub fn docs(today: Date) -> Vec<Doc> {
    let docs = [create(today), list(), read(), amend(today), confirm(), cancel(), check_in(), check_out(), no_show()];
    docs.into_iter().map(|doc| doc.tag("bookings").from_store()).collect()
}

fn create(today: Date) -> Doc {
    post("/v1/bookings", "create_booking")
        .says("Book rooms", CREATE)
        .idempotent()
        .conditional(SEEN)
        .body::<OrderBody>(example::booking(today))
        .answers::<BookingView>(201, "The booking.", CREATED)
        .refuses(RULES)
        .refuses(&[Code::RatePlanRequired, Code::Forbidden])
        .refuses(&[Code::Unauthorized, Code::NoSuchRoomType, Code::UnknownRatePlan, Code::UnknownService])
        .from_engine()
}

fn list() -> Doc {
    get("/v1/bookings", "list_bookings")
        .says("List bookings", "In order of creation. Filters add up.")
        .administrator()
        .may("hotel_id", Kind::Id, "Of this hotel.")
        .may("room_type_id", Kind::Id, "Of this room type.")
        .may("status", Kind::OneOf(&Status::NAMES), "With this status.")
        .may("arrival_from", Kind::Day, "Arrivals on this date or later.")
        .may("arrival_to", Kind::Day, "Arrivals before this date.")
        .may("contact", Kind::Text, "A mobile number, its `+` written as `%2B`, or an e-mail address.")
        .may("external_reference", Kind::Text, "With this name of yours, exactly.")
        .paged()
        .answers::<List<BookingView>>(200, "A page of bookings.", &[])
}

fn read() -> Doc {
    get("/v1/bookings/{booking_id}", "read_booking")
        .says("Read a booking", "")
        .manager()
        .cacheable()
        .answers::<BookingView>(200, "The booking.", &[("ETag", "The booking's sequence number.")])
}

fn amend(today: Date) -> Doc {
    let address = "/v1/bookings/{booking_id}";
    moved(patch(address, "amend_booking"), "Change a booking", AMEND)
        .manager()
        .merge_patch::<AmendmentBody>(example::amendment(today))
        .refuses(RULES)
        .refuses(&[Code::Forbidden, Code::TooLate])
        .refuses(&[Code::HoldExpired, Code::EmptyStay, Code::DepartureInThePast, Code::ChangeNotFree])
}

fn confirm() -> Doc {
    let address = "/v1/bookings/{booking_id}/confirm";
    moved(post(address, "confirm_booking"), "Turn a hold into a booking", "").manager().refuses(&[Code::HoldExpired])
}

fn cancel() -> Doc {
    let address = "/v1/bookings/{booking_id}/cancel";
    let dry_run = "`true`: change nothing, answer with the booking and the fee as they would be.";
    moved(post(address, "cancel_booking"), "Cancel a booking", CANCEL)
        .manager()
        .may("dry_run", Kind::Flag, dry_run)
        .refuses(&[Code::TooLate])
}

fn check_in() -> Doc {
    let address = "/v1/bookings/{booking_id}/check-in";
    let words = "From the arrival date up to the last night.";
    administered(moved(post(address, "check_in"), "The guests have arrived", words))
        .refuses(&[Code::TooEarly, Code::TooLate])
}

fn check_out() -> Doc {
    let address = "/v1/bookings/{booking_id}/check-out";
    let words = "Nights that were not slept are free at once.";
    administered(moved(post(address, "check_out"), "The guests have left", words))
}

fn no_show() -> Doc {
    let address = "/v1/bookings/{booking_id}/no-show";
    let words =
        "Keeps the first night sold, and every night that is over, and frees the rest. From the arrival date on.";
    administered(moved(post(address, "no_show"), "Nobody came", words)).refuses(&[Code::TooEarly])
}

/// A move of a booking.
fn moved(doc: Doc, summary: &str, description: &str) -> Doc {
    doc.says(summary, description)
        .idempotent()
        .conditional(VERSION)
        .answers::<BookingView>(200, "The booking as it is now.", VERSIONED)
        .refuses(&[Code::IllegalMove])
        .from_engine()
}

fn administered(doc: Doc) -> Doc {
    doc.administrator().refuses(&[Code::Forbidden, Code::NoSuchBooking])
}

//! The OpenAPI text of bookings.

use super::order::{AmendmentBody, OrderBody};
use super::view::BookingView;
use crate::domain::{Date, Status};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, REPLAYED, get, patch, post};
use crate::http::describe::schemas::Kind;
use crate::http::page::List;

const CREATE: &str = "No token is needed. If several rate plans sell the stay, name one with `rate_plan_id`, or choose \
                      the cheapest with `\"rate_plan\": \"cheapest\"`. Otherwise the answer is `rate_plan_required` \
                      with the rate plans. Each room needs an adult. With `hold`, the rooms are held until \
                      `expires_at`: confirm the hold before. If the stay is sold out, the answer is 409 with the \
                      nights and the reasons.";
const AMEND: &str = "Changes dates, rooms or guests. Kept nights keep their prices. Added nights and added rooms have \
                     today's prices. Rooms that were added last are removed first. Only added nights and rooms need \
                     free rooms. Nights or rooms can be removed while the cancellation is free. Later only the \
                     administrator can remove them. From the day after the arrival date, the arrival date and the \
                     number of rooms cannot change. A change that repeats the present values is answered with the \
                     unchanged booking, whatever its status.";
const CANCEL: &str = "Cancels a booking for the fee of its cancellation policy, or releases a hold without a fee. The \
                      nights are free at once. From the day after the arrival date a booking cannot be cancelled: the \
                      hotel records a no-show or checks the guests in.";
const VERSION: &str = "The request takes effect only if the booking still has this `sequence`.";
const EXPECTED: &str = "The request takes effect only if the availability of the room type still has this `sequence`.";

/// Problems of a stay that cannot be sold.
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
const VERSIONED: &[(&str, &str)] = &[("ETag", "The sequence number of the booking."), REPLAYED];
const CREATED: &[(&str, &str)] =
    &[("ETag", "The sequence number of the booking."), ("Location", "The path of the booking."), REPLAYED];

pub fn docs(today: Date) -> Vec<Doc> {
    let docs = [create(today), list(), read(), amend(today), confirm(), cancel(), check_in(), check_out(), no_show()];
    docs.into_iter().map(|doc| doc.tag("bookings").from_store()).collect()
}

fn create(today: Date) -> Doc {
    post("/v1/bookings", "create_booking")
        .says("Book rooms", CREATE)
        .idempotent()
        .conditional(EXPECTED)
        .body::<OrderBody>(example::booking(today))
        .answers::<BookingView>(201, "The booking.", CREATED)
        .refuses(RULES)
        .refuses(&[Code::RatePlanRequired, Code::Forbidden])
        .refuses(&[Code::Unauthorized, Code::NoSuchRoomType, Code::UnknownRatePlan, Code::UnknownService])
        .from_engine()
}

fn list() -> Doc {
    get("/v1/bookings", "list_bookings")
        .says("List bookings", "In the order of creation. A booking must match all filters.")
        .administrator()
        .may("hotel_id", Kind::Id, "Only bookings of this hotel.")
        .may("room_type_id", Kind::Id, "Only bookings of this room type.")
        .may("status", Kind::OneOf(&Status::NAMES), "Only bookings with this status.")
        .may("arrival_from", Kind::Day, "Only arrivals on this date or later.")
        .may("arrival_to", Kind::Day, "Only arrivals before this date.")
        .may(
            "contact",
            Kind::Text,
            "Only bookings with this phone number or e-mail address. Write the `+` of a phone number as `%2B`.",
        )
        .may("external_reference", Kind::Text, "Only bookings with exactly this reference.")
        .paged()
        .answers::<List<BookingView>>(200, "A page of bookings.", &[])
}

fn read() -> Doc {
    get("/v1/bookings/{booking_id}", "read_booking")
        .says("Get a booking", "")
        .manager()
        .cacheable()
        .answers::<BookingView>(200, "The booking.", &[("ETag", "The sequence number of the booking.")])
}

fn amend(today: Date) -> Doc {
    let address = "/v1/bookings/{booking_id}";
    moved(patch(address, "amend_booking"), "Amend a booking", AMEND)
        .manager()
        .merge_patch::<AmendmentBody>(example::amendment(today))
        .refuses(RULES)
        .refuses(&[Code::Forbidden, Code::TooLate])
        .refuses(&[Code::HoldExpired, Code::EmptyStay, Code::DepartureInThePast, Code::ChangeNotFree])
}

fn confirm() -> Doc {
    let address = "/v1/bookings/{booking_id}/confirm";
    moved(post(address, "confirm_booking"), "Confirm a hold", "Turns a hold into a confirmed booking.")
        .manager()
        .refuses(&[Code::HoldExpired])
}

fn cancel() -> Doc {
    let address = "/v1/bookings/{booking_id}/cancel";
    let dry_run = "With `true` nothing changes. The answer shows the booking and the fee as they would be.";
    moved(post(address, "cancel_booking"), "Cancel a booking", CANCEL)
        .manager()
        .may("dry_run", Kind::Flag, dry_run)
        .refuses(&[Code::TooLate])
}

fn check_in() -> Doc {
    let address = "/v1/bookings/{booking_id}/check-in";
    let when = "Possible from the arrival date to the last night.";
    administered(moved(post(address, "check_in"), "Check in a booking", when)).refuses(&[Code::TooEarly, Code::TooLate])
}

fn check_out() -> Doc {
    let address = "/v1/bookings/{booking_id}/check-out";
    let effect = "The remaining nights are free at once.";
    administered(moved(post(address, "check_out"), "Check out a booking", effect))
}

fn no_show() -> Doc {
    let address = "/v1/bookings/{booking_id}/no-show";
    let effect = "The first night and past nights stay sold, and the other nights are free at once. Possible from the arrival date on.";
    administered(moved(post(address, "no_show"), "Mark a booking as no-show", effect)).refuses(&[Code::TooEarly])
}

/// Adds what all changes of a booking share.
fn moved(doc: Doc, summary: &str, description: &str) -> Doc {
    doc.says(summary, description)
        .idempotent()
        .conditional(VERSION)
        .answers::<BookingView>(200, "The changed booking.", VERSIONED)
        .refuses(&[Code::IllegalMove])
        .from_engine()
}

/// Adds what all moves at the front desk share.
fn administered(doc: Doc) -> Doc {
    doc.administrator().refuses(&[Code::Forbidden, Code::NoSuchBooking])
}

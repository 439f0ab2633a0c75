//! The OpenAPI text of search.

use super::offer::Offer;
use super::query::MAX_RADIUS_KM;
use crate::domain::order::{MAX_GUESTS, MAX_ROOMS_PER_BOOKING};
use crate::domain::{Date, Stay};
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, get};
use crate::http::describe::schemas::Kind;
use crate::http::hotels::calendar::PriceCalendar;
use crate::http::page::List;

const SEARCH: &str = "Lists the hotels of a city, or of the area around a place, that can sell the stay. Send `city`, \
                      or `latitude`, `longitude` and `radius_km`. Sorted by price, hotels are grouped by currency. \
                      Book an offer with `POST /v1/bookings`, and name its rate plan. An offer does not reserve \
                      rooms.";
const CALENDAR: &str = "For each arrival date of at most 366, the cheapest room type and rate plan that sell a stay of \
                        `nights` nights. Without an offer, the reason.";

const NAMES: &str = "The name of a city. Upper and lower case, and the encoding of accents, do not matter.";

const TAG: &[(&str, &str)] = &[("ETag", "The version of this answer.")];

pub fn docs(today: Date) -> Vec<Doc> {
    let day = |days| example::ahead(today, days);
    let search = get("/v1/search", "search")
        .says("Search hotels", SEARCH)
        .may_with_example("city", Kind::Text, NAMES, example::CITY)
        .may("latitude", Kind::Number(-90.0, 90.0), "WGS 84, in degrees.")
        .may("longitude", Kind::Number(-180.0, 180.0), "WGS 84, in degrees.")
        .may("radius_km", Kind::Number(0.0, MAX_RADIUS_KM), "The radius as a great-circle distance, more than 0.")
        .needs("checkin_date", Kind::Day, "The first night.", day(30))
        .needs("checkout_date", Kind::Day, "The date after the last night.", day(33))
        .may(
            "sort",
            Kind::OneOf(&["price", "distance"]),
            "The sort order. `distance` needs coordinates. Default: `price`.",
        )
        .paged()
        .answers::<List<Offer>>(200, "A page of hotels.", TAG)
        .refuses(&[Code::ArrivalInThePast]);
    let calendar = get("/v1/hotels/{id}/calendar", "read_price_calendar")
        .says("Get the price calendar of a hotel", CALENDAR)
        .needs("from", Kind::Day, "The first arrival date.", day(30))
        .needs("to", Kind::Day, "The date after the last arrival date.", day(60))
        .may("nights", Kind::Whole(1, Stay::MAX_NIGHTS.into()), "The length of each stay in nights. Default: 1.")
        .answers::<PriceCalendar>(200, "The price calendar.", TAG)
        .refuses(&[Code::NoSuchHotel, Code::ArrivalInThePast]);
    [search, calendar].map(for_party).into()
}

/// Adds what both operations share.
fn for_party(doc: Doc) -> Doc {
    doc.may(
        "adults",
        Kind::Whole(1, MAX_GUESTS as i64),
        "Guests of 18 or more years, at least one for each room. Default: 2, or the number of rooms if it is larger.",
    )
    .may("children", Kind::Whole(0, MAX_GUESTS as i64), "Guests under 18 years. Default: 0.")
    .may("rooms", Kind::Whole(1, MAX_ROOMS_PER_BOOKING.into()), "The number of rooms. Default: 1.")
    .cacheable()
    .tag("bookings")
    .refuses(&[Code::Starting])
}

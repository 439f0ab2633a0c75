//! What `/openapi.json` says about search.

use super::offer::Offer;
use super::query::MAX_RADIUS_KM;
use crate::domain::order::{MAX_GUESTS, MAX_ROOMS_PER_BOOKING};
use crate::domain::{Date, Stay};
use crate::http::code::Code;
use crate::http::hotels::calendar::PriceCalendar;
use crate::http::openapi::example;
use crate::http::openapi::operation::{Doc, get};
use crate::http::openapi::schemas::Kind;
use crate::http::page::List;

const SEARCH: &str = "Hotels of a city, or around a place, with everything they can sell for the stay. By price, hotels \
                      of different currencies come one currency after the other. Give `city`, or `latitude`, \
                      `longitude` and `radius_km`. What is offered here is sold by `POST /v1/bookings`, unless \
                      somebody is faster: name the plan that you want.";
const CALENDAR: &str = "For every day of arrival, at most 366, the cheapest room type and plan that sell a stay of so \
                        many nights, or why none does.";

const NAMES: &str = "Compared as people compare names: capitals and the encoding of accents do not matter.";

const TAG: &[(&str, &str)] = &[("ETag", "Of this very answer.")];

pub fn docs(today: Date) -> Vec<Doc> {
    let day = |days| example::ahead(today, days);
    let search = get("/v1/search", "search")
        .says("Search a city or a neighbourhood", SEARCH)
        .may_such_as("city", Kind::Text, NAMES, example::CITY)
        .may("latitude", Kind::Number(-90.0, 90.0), "WGS 84, in degrees.")
        .may("longitude", Kind::Number(-180.0, 180.0), "WGS 84, in degrees.")
        .may("radius_km", Kind::Number(0.0, MAX_RADIUS_KM), "Great-circle distance, more than 0.")
        .needs("checkin_date", Kind::Day, "First night.", day(30))
        .needs("checkout_date", Kind::Day, "The day after the last night.", day(33))
        .may("sort", Kind::OneOf(&["price", "distance"]), "Otherwise by price. By distance from the coordinates.")
        .paged()
        .answers::<List<Offer>>(200, "A page of hotels.", TAG)
        .refuses(&[Code::ArrivalInThePast]);
    let calendar = get("/v1/hotels/{id}/calendar", "read_price_calendar")
        .says("See the cheapest price for every day of arrival", CALENDAR)
        .needs("from", Kind::Day, "First day of arrival.", day(30))
        .needs("to", Kind::Day, "The date after the last day of arrival.", day(60))
        .may("nights", Kind::Whole(1, Stay::MAX_NIGHTS.into()), "Nights of every stay; otherwise 1.")
        .answers::<PriceCalendar>(200, "The days.", TAG)
        .refuses(&[Code::NoSuchHotel, Code::ArrivalInThePast]);
    [search, calendar].map(for_company).into()
}

/// What both are asked, and how both are answered.
fn for_company(doc: Doc) -> Doc {
    doc.may(
        "adults",
        Kind::Whole(1, MAX_GUESTS as i64),
        "Guests of 18 and more years, at least one for each room; otherwise 2, or as many as rooms.",
    )
    .may("children", Kind::Whole(0, MAX_GUESTS as i64), "Otherwise 0.")
    .may("rooms", Kind::Whole(1, MAX_ROOMS_PER_BOOKING.into()), "Otherwise 1.")
    .cacheable()
    .tag("bookings")
    .refuses(&[Code::Starting])
}

//! What `/openapi.json` says about search.

use super::offer::Offer;
use crate::domain::Date;
use crate::domain::order::{MAX_GUESTS, MAX_ROOMS_PER_BOOKING};
use crate::http::openapi::example;
use crate::http::openapi::operation::{Doc, get};
use crate::http::openapi::schemas::Kind;
use crate::http::page::List;

const WORDS: &str = "Hotels of a city with everything they can sell for the stay, the cheapest hotel first; hotels \
                     of different currencies one currency after the other. What is offered here is sold by \
                     `POST /v1/bookings`, unless somebody is faster.";

pub fn docs(today: Date) -> Vec<Doc> {
    let day = |days| example::ahead(today, days);
    let doc = get("/v1/search", "search")
        .says("Search a city", WORDS)
        .needs("city", Kind::Text, "Capitals do not matter.", example::CITY)
        .needs("checkin_date", Kind::Day, "First night.", day(30))
        .needs("checkout_date", Kind::Day, "The day after the last night.", day(33))
        .may("adults", Kind::Whole(1, MAX_GUESTS as i64), "Guests of 18 and more years; otherwise 2.")
        .may("children", Kind::Whole(0, MAX_GUESTS as i64), "Otherwise 0.")
        .may("rooms", Kind::Whole(1, MAX_ROOMS_PER_BOOKING.into()), "Otherwise 1.")
        .paged()
        .answers::<List<Offer>>(200, "A page of hotels.", &[])
        .tag("bookings")
        .from_store();
    vec![doc]
}

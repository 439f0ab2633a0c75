//! What `/openapi.json` says about nights.

use super::availability::Availability;
use super::set::{NightsSet, SetNights};
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::openapi::example;
use crate::http::openapi::operation::{Doc, get, put};
use crate::http::openapi::schemas::Kind;

const VIEW: &str = "At most 366 nights. The sequence number changes with every booking and every change of nights; \
                    send it, or the ETag, as `If-Match` to book exactly what you saw. The ETag changes also when the \
                    nights on sale do: at midnight and with the hotel's settings.";
const SET: &str = "Items are done one after the other, each with a result of its own. A body that breaks a rule does \
                   nothing. Where the room type cannot be changed any more half-way, because it has too much to do or \
                   its node or the database went away, that item and those after it have the status `retry`: send \
                   them again, which is safe because an item says how nights are to be, not what is to be added. What \
                   an item leaves out stays as it is, and `null` returns it to its default. A capacity below what is \
                   sold or held is refused (`capacity_below_sold` or `outside_horizon` in the item), unless somebody \
                   insists by name: `force`. At most 1000 items.";

const UNSEEN: &str = "Only if the availability still has this ETag or `sequence`; otherwise 412, and nothing is done. Where \
                      somebody changes the room type between two items, the later items are refused as `stale`.";

pub fn docs(today: Date) -> Vec<Doc> {
    let day = |days| example::ahead(today, days);
    let docs = [
        get("/v1/room-types/{id}/availability", "read_availability")
            .says("See what is left, night by night", VIEW)
            .needs("from", Kind::Day, "First night.", day(30))
            .needs("to", Kind::Day, "The date after the last night.", day(37))
            .cacheable()
            .answers::<Availability>(200, "The nights.", &[("ETag", "It begins with the sequence number.")]),
        put("/v1/room-types/{id}/nights", "set_nights")
            .says("Change many nights", SET)
            .administrator()
            .conditional(UNSEEN)
            .body::<SetNights>(example::nights(today))
            .answers::<NightsSet>(200, "What became of each item.", &[])
            .refuses(&[Code::CapacityBelowSold, Code::OutsideHorizon, Code::UnknownRatePlan]),
    ];
    docs.into_iter().map(|doc| doc.tag("nights").refuses(&[Code::NoSuchRoomType]).from_engine()).collect()
}

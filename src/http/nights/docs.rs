//! The OpenAPI text of nights.

use super::availability::Availability;
use super::set::{NightsSet, SetNights};
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::describe::example;
use crate::http::describe::operation::{Doc, get, put};
use crate::http::describe::schemas::Kind;

const VIEW: &str = "At most 366 nights. The sequence number grows with every booking and every change of nights. Send \
                    it, or the ETag, as `If-Match` to book exactly this availability. The ETag also changes when the \
                    range of nights on sale changes: at midnight, and with the hotel's settings.";
const SET: &str = "Applies at most 1000 items in order. Each item has its own result. If the body breaks a rule, no \
                   item is applied. If the owner of the room type or the database fails on the way, that item and the \
                   later items have the status `retry`. Send them again. A repeat has no second effect, because an \
                   item sets values and adds nothing. An absent member does not change. `null` resets a member to its \
                   default. A capacity below the sold and held rooms is refused (`capacity_below_sold` or \
                   `outside_horizon` in the item), unless the item has `force` with a name.";

const EXPECTED: &str = "The items are applied only if the availability still has this ETag or `sequence`. Otherwise \
                        the answer is 412 and nothing is done. If another change comes between two items, the later \
                        items are refused as `stale`.";

pub fn docs(today: Date) -> Vec<Doc> {
    let day = |days| example::ahead(today, days);
    let docs = [
        get("/v1/room-types/{id}/availability", "read_availability")
            .says("Get availability", VIEW)
            .needs("from", Kind::Day, "The first night.", day(30))
            .needs("to", Kind::Day, "The date after the last night.", day(37))
            .cacheable()
            .answers::<Availability>(
                200,
                "The availability.",
                &[("ETag", "The version. It begins with the sequence number.")],
            ),
        put("/v1/room-types/{id}/nights", "set_nights")
            .says("Set nights", SET)
            .administrator()
            .conditional(EXPECTED)
            .body::<SetNights>(example::nights(today))
            .answers::<NightsSet>(200, "The result of each item.", &[])
            .refuses(&[Code::CapacityBelowSold, Code::OutsideHorizon, Code::UnknownRatePlan]),
    ];
    docs.into_iter().map(|doc| doc.tag("nights").refuses(&[Code::NoSuchRoomType]).from_engine()).collect()
}

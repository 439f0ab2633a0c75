//! `GET /v1/room-types/{id}/availability`: the availability of a room type for each night.

use actix_web::HttpResponse;
use actix_web::http::header::{ETag, EntityTag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Amount, CalendarView, NightView, Restriction, RoomTypeId};
use crate::http::answer::REVALIDATE;
use crate::http::extract::{Id, IfNoneMatch, OwnerEngine, Query};
use crate::http::problem::Problem;
use crate::http::problem::refusal;
use crate::http::value::{Day, up_to_a_year};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    from: Day,
    to: Day,
}

/// The availability of a room type for each night.
#[derive(Debug, Serialize, ToSchema)]
pub struct Availability {
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    /// The version. It grows with every booking and every change of nights. Send it, or the ETag, as If-Match.
    sequence: u64,
    currency: &'static str,
    /// The nights within the booking horizon. An absent night is not for sale.
    nights: Vec<AvailableNight>,
}

/// One night of a room type.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableNight {
    date: Day,
    /// Physical rooms.
    physical: u16,
    out_of_order: u16,
    overbooking_allowance: i16,
    sold: u16,
    held: u16,
    /// Rooms that are sold or held beyond the capacity, because `force` has set a lower capacity.
    forced: u16,
    /// Free rooms: physical − out_of_order + overbooking_allowance − sold − held, at least 0.
    free: u16,
    /// Whether the night is closed for sale, even if rooms are free.
    closed: bool,
    /// The price of one room with the cheapest open rate plan. Null if no rate plan is open.
    #[schema(value_type = Option<i64>)]
    price_minor: Option<Amount>,
    restrictions: Restrictions,
}

/// The restrictions of the room type on a night. A length of 0 means no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Restrictions {
    stop_sell: bool,
    closed_to_arrival: bool,
    closed_to_departure: bool,
    min_nights_arrival: u8,
    max_nights_arrival: u8,
    min_nights_through: u8,
    max_nights_through: u8,
}

pub async fn handle(
    OwnerEngine(engine): OwnerEngine,
    Id(room_type): Id<RoomTypeId>,
    Query(range): Query<Range>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    up_to_a_year(range.from, range.to)?;
    let view = engine.view(room_type, range.from.0, range.to.0).await?;
    if range.to.0 <= view.on_sale[0] {
        return Err(refusal::past(view.on_sale[0]));
    }
    let tag = tag(&view);
    if known.has(&tag) {
        return Ok(HttpResponse::NotModified().insert_header(tag).insert_header(REVALIDATE).finish());
    }
    Ok(HttpResponse::Ok().insert_header(tag).insert_header(REVALIDATE).json(Availability::from(&view)))
}

/// The ETag: the sequence number and the range of dates on sale. At midnight, and when the hotel's settings change, the
/// range changes without a new sequence number.
fn tag(view: &CalendarView) -> ETag {
    let [first, end] = view.on_sale.map(|date| date.strftime("%Y%m%d").to_string());
    ETag(EntityTag::new_strong(format!("{}-{first}-{end}", view.sequence)))
}

impl From<&CalendarView> for Availability {
    fn from(view: &CalendarView) -> Self {
        Self {
            room_type_id: view.room_type_id,
            sequence: view.sequence,
            currency: view.currency.code(),
            nights: view.nights.iter().map(AvailableNight::from).collect(),
        }
    }
}

impl From<&NightView> for AvailableNight {
    fn from(view: &NightView) -> Self {
        Self {
            date: Day(view.date),
            physical: view.physical,
            out_of_order: view.night.out_of_order,
            overbooking_allowance: view.allowance,
            sold: view.night.sold,
            held: view.night.held,
            forced: view.night.forced,
            free: view.free,
            closed: view.closed,
            price_minor: view.price,
            restrictions: view.night.restriction.into(),
        }
    }
}

impl From<Restriction> for Restrictions {
    fn from(restriction: Restriction) -> Self {
        Self {
            stop_sell: restriction.stop_sell,
            closed_to_arrival: restriction.closed_to_arrival,
            closed_to_departure: restriction.closed_to_departure,
            min_nights_arrival: restriction.min_nights_arrival,
            max_nights_arrival: restriction.max_nights_arrival,
            min_nights_through: restriction.min_nights_through,
            max_nights_through: restriction.max_nights_through,
        }
    }
}

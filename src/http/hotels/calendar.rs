//! `GET /v1/hotels/{id}/calendar`: the cheapest price for each arrival date.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::domain::violation::Violations;
use crate::domain::{Amount, HotelId, RatePlanId, RoomTypeId, Stay, Violation};
use crate::engine::Engine;
use crate::http::answer::shown;
use crate::http::code::Code;
use crate::http::extract::{Id, IfNoneMatch, Query};
use crate::http::names::ProblemCode;
use crate::http::problem::Problem;
use crate::http::problem::refusal;
use crate::http::value::{Day, party, up_to_a_year, whole};
use crate::search::Index;
use crate::search::calendar::{Arrival, Arrivals, Visit};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarQuery {
    from: Day,
    to: Day,
    nights: Option<i64>,
    adults: Option<i64>,
    children: Option<i64>,
    rooms: Option<i64>,
}

/// The cheapest price for each arrival date.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceCalendar {
    #[schema(value_type = uuid::Uuid)]
    hotel_id: HotelId,
    /// Nights of every stay.
    nights: u16,
    currency: &'static str,
    /// Every date from `from` up to, but not including, `to`.
    days: Vec<ArrivalDay>,
}

/// One arrival date.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArrivalDay {
    checkin_date: Day,
    /// The lowest price of all nights and all rooms. Null if no room type sells the stay.
    #[schema(value_type = Option<i64>)]
    total_minor: Option<Amount>,
    #[schema(value_type = Option<uuid::Uuid>)]
    room_type_id: Option<RoomTypeId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    rate_plan_id: Option<RatePlanId>,
    /// Why no room type sells the stay: the problem code that a booking would get, such as `sold_out`, `closed`,
    /// `occupancy` or `beyond_horizon`. With `restricted`, another arrival date or length may be sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemCode>)]
    reason: Option<&'static str>,
}

pub async fn handle(
    (engine, search, clock): (Data<Engine>, Data<Index>, Data<dyn Clock>),
    Id(hotel): Id<HotelId>,
    Query(query): Query<CalendarQuery>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let visit = query.check()?;
    search.caught_up(engine.hub().position()).await?;
    let arrivals = search.calendar(hotel, query.from.0, query.to.0, visit, clock.now());
    let arrivals = arrivals.ok_or_else(|| Problem::of(Code::NoSuchHotel))?;
    if query.to.0 <= arrivals.today {
        return Err(refusal::past(arrivals.today));
    }
    Ok(shown(&PriceCalendar::new(hotel, visit, &arrivals), &known))
}

impl CalendarQuery {
    fn check(&self) -> Result<Visit, Vec<Violation>> {
        let mut violations = Violations::default();
        let range = violations.keep(up_to_a_year(self.from, self.to));
        let nights = violations.keep(whole(self.nights.unwrap_or(1), 1, Stay::MAX_NIGHTS, "/nights", "nights_range"));
        let party = party(self.adults, self.children, self.rooms, &mut violations);
        let visit = (|| {
            range?;
            let (party, rooms) = party?;
            Some(Visit { nights: nights?, party, rooms })
        })();
        violations.finish(visit)
    }
}

impl PriceCalendar {
    fn new(hotel_id: HotelId, visit: Visit, arrivals: &Arrivals) -> Self {
        let days = arrivals.days.iter().map(ArrivalDay::from).collect();
        Self { hotel_id, nights: visit.nights, currency: arrivals.currency.code(), days }
    }
}

impl From<&Arrival> for ArrivalDay {
    fn from(arrival: &Arrival) -> Self {
        let best = arrival.best.ok();
        Self {
            checkin_date: Day(arrival.check_in),
            total_minor: best.map(|best| best.total),
            room_type_id: best.map(|best| best.room_type),
            rate_plan_id: best.map(|best| best.rate_plan),
            reason: arrival.best.err(),
        }
    }
}

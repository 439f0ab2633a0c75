//! `GET /v1/hotels/{id}/calendar`: the cheapest price for every day of arrival.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::violation::Violations;
use crate::domain::{Amount, HotelId, RatePlanId, RoomTypeId, Stay, Violation};
use crate::http::answer::shown;
use crate::http::code::Code;
use crate::http::extract::{Id, IfNoneMatch, Query};
use crate::http::openapi::names::ProblemCode;
use crate::http::problem::Problem;
use crate::http::refusal;
use crate::http::state::State;
use crate::http::value::{Day, company, up_to_a_year, whole};
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

/// The cheapest price for every day of arrival.
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

/// One day of arrival.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArrivalDay {
    checkin_date: Day,
    /// The lowest price: all nights, all rooms. Null when no room type sells the stay.
    #[schema(value_type = Option<i64>)]
    total_minor: Option<Amount>,
    #[schema(value_type = Option<uuid::Uuid>)]
    room_type_id: Option<RoomTypeId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    rate_plan_id: Option<RatePlanId>,
    /// Why no room type sells the stay, as the code of the problem that booking would answer: `restricted` (another
    /// length or arrival might do), `sold_out`, `closed`, `occupancy`, `beyond_horizon` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemCode>)]
    reason: Option<&'static str>,
}

pub async fn handle(
    state: Data<State>,
    Id(hotel): Id<HotelId>,
    Query(query): Query<CalendarQuery>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let visit = query.check()?;
    let arrivals = state.searchable().await?.calendar(hotel, query.from.0, query.to.0, visit, state.clock.now());
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
        let company = company(self.adults, self.children, self.rooms, &mut violations);
        let visit = (|| {
            range?;
            let (party, rooms) = company?;
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

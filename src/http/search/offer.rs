//! The JSON of offers.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::query::encode;
use crate::domain::{Amount, Hotel, HotelId, RatePlanId, RoomTypeId};
use crate::http::bookings::view::PolicyView;
use crate::http::page::List;
use crate::search::{self, Page, PlanQuote};

/// A hotel with the room types that can be booked for the stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    hotel: HotelSummary,
    /// The great-circle distance from the coordinates of the search. Absent if the search has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
    /// The price of the cheapest room type, for all nights and all rooms.
    #[schema(value_type = i64)]
    total_minor: Amount,
    currency: &'static str,
    /// The room types, the cheapest first.
    room_types: Vec<RoomTypeOffer>,
}

/// The summary of a hotel.
#[derive(Debug, Serialize, ToSchema)]
pub struct HotelSummary {
    #[schema(value_type = uuid::Uuid)]
    id: HotelId,
    name: String,
    city: String,
    country: String,
}

/// A room type that can be booked for the stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomTypeOffer {
    #[schema(value_type = uuid::Uuid)]
    room_type_id: RoomTypeId,
    name: String,
    /// The cheapest rate plan that sells the stay. `rate_plans` lists all of them.
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    rate_plan_name: String,
    /// The price of all nights and all rooms with the cheapest rate plan.
    #[schema(value_type = i64)]
    total_minor: Amount,
    /// The price of one room for each night with the cheapest rate plan.
    #[schema(value_type = Vec<i64>)]
    nights_minor: Vec<Amount>,
    /// Every rate plan that sells the stay, the cheapest first. A booking names one of them.
    rate_plans: Vec<OfferedPlan>,
    /// Send it as If-Match to book only if the availability is unchanged.
    sequence: u64,
}

/// A rate plan that sells the stay, with the conditions that a booking would have now.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedPlan {
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    name: String,
    /// The price of all nights and all rooms.
    #[schema(value_type = i64)]
    total_minor: Amount,
    /// The price of one room for each night.
    #[schema(value_type = Vec<i64>)]
    nights_minor: Vec<Amount>,
    cancellation_policy: PolicyView,
}

/// The JSON of a page.
pub fn offers(page: Page) -> List<Offer> {
    let next_cursor = page.next.map(encode);
    List { items: page.offers.into_iter().map(Offer::from).collect(), next_cursor }
}

impl From<search::Offer> for Offer {
    fn from(offer: search::Offer) -> Self {
        Self {
            distance_km: offer.metres.map(|metres| f64::from(metres) / 1_000.0),
            total_minor: offer.total,
            currency: offer.hotel.currency.code(),
            room_types: offer.room_types.into_iter().filter_map(RoomTypeOffer::of).collect(),
            hotel: offer.hotel.into(),
        }
    }
}

impl From<Arc<Hotel>> for HotelSummary {
    fn from(hotel: Arc<Hotel>) -> Self {
        Self { id: hotel.id, name: hotel.name.clone(), city: hotel.city.clone(), country: hotel.country.clone() }
    }
}

impl RoomTypeOffer {
    /// `None` if no rate plan sells the stay. Search offers no such room type.
    fn of(offer: search::RoomTypeOffer) -> Option<Self> {
        let cheapest = offer.plans.first()?;
        Some(Self {
            room_type_id: offer.id,
            name: offer.name,
            rate_plan_id: cheapest.quote.rate_plan,
            rate_plan_name: cheapest.name.clone(),
            total_minor: cheapest.quote.total,
            nights_minor: cheapest.quote.prices.clone(),
            rate_plans: offer.plans.into_iter().map(OfferedPlan::from).collect(),
            sequence: offer.sequence,
        })
    }
}

impl From<PlanQuote> for OfferedPlan {
    fn from(PlanQuote { name, quote, policy }: PlanQuote) -> Self {
        Self {
            rate_plan_id: quote.rate_plan,
            name,
            total_minor: quote.total,
            nights_minor: quote.prices,
            cancellation_policy: PolicyView::from(&policy),
        }
    }
}

//! Offers as they are written.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::query::encode;
use crate::domain::{Amount, Hotel, HotelId, RatePlanId, RoomTypeId};
use crate::http::page::List;
use crate::search::{self, Page};

/// A hotel with room types that can be booked for the stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    hotel: HotelSummary,
    /// Great-circle distance from the place that was asked for, when one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
    /// Price of the cheapest room type: all nights, all rooms.
    #[schema(value_type = i64)]
    total_minor: Amount,
    currency: &'static str,
    /// The cheapest first.
    room_types: Vec<RoomTypeOffer>,
}

/// A hotel, as a list shows it.
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
    /// The cheapest plan that sells the stay.
    #[schema(value_type = uuid::Uuid)]
    rate_plan_id: RatePlanId,
    rate_plan_name: String,
    /// All nights, all rooms.
    #[schema(value_type = i64)]
    total_minor: Amount,
    /// Price of one room for each night.
    #[schema(value_type = Vec<i64>)]
    nights_minor: Vec<Amount>,
    /// Send it as If-Match to book only if nothing has changed since.
    sequence: u64,
}

/// A page as it is written.
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
            room_types: offer.room_types.into_iter().map(RoomTypeOffer::from).collect(),
            hotel: offer.hotel.into(),
        }
    }
}

impl From<Arc<Hotel>> for HotelSummary {
    fn from(hotel: Arc<Hotel>) -> Self {
        Self { id: hotel.id, name: hotel.name.clone(), city: hotel.city.clone(), country: hotel.country.clone() }
    }
}

impl From<search::RoomTypeOffer> for RoomTypeOffer {
    fn from(offer: search::RoomTypeOffer) -> Self {
        Self {
            room_type_id: offer.id,
            name: offer.name,
            rate_plan_id: offer.quote.rate_plan,
            rate_plan_name: offer.rate_plan_name,
            total_minor: offer.quote.total,
            nights_minor: offer.quote.prices,
            sequence: offer.sequence,
        }
    }
}

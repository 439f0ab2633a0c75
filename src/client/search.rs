//! Search: hotels with room types that can be booked for a stay.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Page, Request};
use crate::domain::Date;

/// A search: in a city, or in a circle around a place.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius_km: Option<f64>,
    pub checkin_date: Date,
    pub checkout_date: Date,
    /// All guests together. Without it: one adult.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adults: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms: Option<u16>,
}

/// A hotel with room types that can be booked for the stay.
#[derive(Debug, Clone, Deserialize)]
pub struct Offer {
    pub hotel: HotelSummary,
    /// Price of the cheapest room type: all nights, all rooms, in minor units.
    pub total_minor: i64,
    pub currency: String,
    /// The cheapest first.
    pub room_types: Vec<RoomTypeOffer>,
}

/// A hotel, as a list shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct HotelSummary {
    pub id: Uuid,
    pub name: String,
    pub city: String,
    pub country: String,
}

/// A room type that can be booked for the stay.
#[derive(Debug, Clone, Deserialize)]
pub struct RoomTypeOffer {
    pub room_type_id: Uuid,
    pub name: String,
    /// Every plan that sells the stay, the cheapest first.
    pub rate_plans: Vec<OfferedPlan>,
    pub sequence: u64,
}

/// A rate plan that sells the stay.
#[derive(Debug, Clone, Deserialize)]
pub struct OfferedPlan {
    pub rate_plan_id: Uuid,
    pub name: String,
    /// All nights, all rooms, in minor units.
    pub total_minor: i64,
}

impl Search {
    /// A search in a city.
    pub fn in_city(city: &str, [checkin_date, checkout_date]: [Date; 2]) -> Self {
        Self {
            city: Some(city.to_owned()),
            latitude: None,
            longitude: None,
            radius_km: None,
            checkin_date,
            checkout_date,
            adults: None,
            children: None,
            rooms: None,
        }
    }

    /// The same search for so many adults.
    pub fn for_adults(self, adults: u16) -> Self {
        Self { adults: Some(adults), ..self }
    }
}

impl Client {
    /// Hotels with room types that can be booked, the cheapest first, a page at a time.
    pub fn search(&self, search: &Search) -> Request<'_, Page<Offer>> {
        self.read("/v1/search".to_owned()).query(search)
    }
}

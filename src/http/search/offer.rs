//! Offers: quotes of room types, gathered by hotel.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::query::{Position, Search};
use crate::domain::quote::Enquiry;
use crate::domain::{Amount, Hotel, HotelId, Inventory, Quote, RatePlanId, RoomTypeId, Timestamp};
use crate::http::page::List;

/// A hotel with room types that can be booked for the stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    hotel: HotelSummary,
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

/// The page of offers that a search asks for, from everything its city has.
pub fn offers(search: &Search, candidates: &[Inventory], now: Timestamp) -> List<Offer> {
    let mut hotels: HashMap<HotelId, Offer> = HashMap::new();
    for candidate in candidates {
        let enquiry =
            Enquiry { stay: search.stay, rooms: search.rooms, party: search.party, rate_plan: None, keeping: None };
        let Ok(quote) = candidate.quote(&enquiry, now) else { continue };
        let offer = hotels.entry(candidate.hotel.id).or_insert_with(|| Offer::of(&candidate.hotel));
        offer.room_types.push(RoomTypeOffer::of(candidate, quote));
    }
    page(search, hotels.into_values().map(Offer::sorted).collect())
}

fn page(search: &Search, mut offers: Vec<Offer>) -> List<Offer> {
    offers.sort_by_cached_key(Offer::position);
    let seen = |offer: &Offer| search.after.as_ref().is_some_and(|after| offer.position() <= *after);
    offers.retain(|offer| !seen(offer));
    let more = offers.len() > search.limit;
    offers.truncate(search.limit);
    let next_cursor = offers.last().filter(|_| more).map(|offer| offer.position().encode());
    List { items: offers, next_cursor }
}

impl Offer {
    fn of(hotel: &Hotel) -> Self {
        let summary = HotelSummary {
            id: hotel.id,
            name: hotel.name.clone(),
            city: hotel.city.clone(),
            country: hotel.country.clone(),
        };
        let currency = hotel.currency.code();
        Self { hotel: summary, total_minor: Amount::ZERO, currency, room_types: Vec::new() }
    }

    /// With the cheapest room type first, whose price is the hotel's.
    fn sorted(mut self) -> Self {
        self.room_types.sort_by_key(|offer| (offer.total_minor, offer.room_type_id));
        self.total_minor = self.room_types.first().map_or(Amount::ZERO, |cheapest| cheapest.total_minor);
        self
    }

    fn position(&self) -> Position {
        Position::new(self.currency, self.total_minor.minor(), self.hotel.id)
    }
}

impl RoomTypeOffer {
    fn of(candidate: &Inventory, quote: Quote) -> Self {
        Self {
            room_type_id: candidate.room_type.id,
            name: candidate.room_type.name.clone(),
            rate_plan_id: quote.rate_plan,
            rate_plan_name: candidate.plan(quote.rate_plan).map(|plan| plan.name.clone()).unwrap_or_default(),
            total_minor: quote.total,
            nights_minor: quote.prices,
            sequence: candidate.sequence(),
        }
    }
}

//! What search quotes from: a city's room types, cut to the nights of one stay.

use std::sync::Arc;

use super::Sqlite;
use super::catalogue::city_key;
use super::inventory::Found;
use super::load::END_OF_TIME;
use crate::domain::{Hotel, Inventory, Stay};
use crate::store::Error;

pub(super) const CITY: &str = concat!(include_str!("inventory.sql"), "WHERE h.city_key = $1 ORDER BY h.id, t.id");

impl Sqlite {
    pub(super) async fn city(&self, city: &str, stay: Stay) -> Result<Vec<Inventory>, Error> {
        let after_departure = stay.check_out().tomorrow().map_or(END_OF_TIME.to_owned(), |date| date.to_string());
        let query = sqlx::query(CITY).bind(city_key(city)).bind(stay.check_in().to_string()).bind(after_departure);
        let mut hotel: Option<Arc<Hotel>> = None;
        let mut candidates = Vec::new();
        for row in query.fetch_all(&self.readers).await? {
            let found = Found::read(&row)?;
            let shared = match hotel.take() {
                Some(last) if last.id == found.hotel.id => last,
                _ => Arc::new(found.hotel.clone()),
            };
            candidates.push(candidate(found, shared.clone(), stay));
            hotel = Some(shared);
        }
        Ok(candidates)
    }
}

/// The part of an inventory that decides about `stay`.
fn candidate(found: Found, hotel: Arc<Hotel>, stay: Stay) -> Inventory {
    // The departure date has restrictions of its own.
    let first = stay.check_in();
    let calendar = found.calendar(first, stay.nights() + 1);
    let (room_type, sequence) = (found.room_type.clone(), found.sequence);
    let plans = found.plans(first);
    Inventory::new(hotel, room_type, calendar, plans, Vec::new(), [], sequence)
}

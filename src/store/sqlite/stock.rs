//! What search quotes from: room types with their nights and plans, without anything a quote does not read.

use std::ops::RangeInclusive;
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::inventory::Found;
use super::load::{END_OF_TIME, earliest_today};
use crate::domain::{Hotel, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::Error;

pub(super) const OF_HOTEL: &str = concat!(include_str!("inventory.sql"), "WHERE t.hotel_id = $1 ORDER BY t.id");
pub(super) const BETWEEN: &str =
    concat!(include_str!("inventory.sql"), "WHERE t.id >= $1 AND t.id <= $4 ORDER BY t.id");

impl Sqlite {
    pub(super) async fn stock_of(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(OF_HOTEL).bind(hotel.to_string()).bind(earliest_today(now).to_string());
        stock(&query.bind(END_OF_TIME).fetch_all(&self.readers).await?, now)
    }

    pub(super) async fn stock_in(
        &self,
        ids: RangeInclusive<RoomTypeId>,
        now: Timestamp,
    ) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(BETWEEN).bind(ids.start().to_string()).bind(earliest_today(now).to_string());
        let query = query.bind(END_OF_TIME).bind(ids.end().to_string());
        stock(&query.fetch_all(&self.readers).await?, now)
    }
}

/// Neighbours of one hotel share it.
fn stock(rows: &[SqliteRow], now: Timestamp) -> Result<Vec<Inventory>, Error> {
    let mut last: Option<Arc<Hotel>> = None;
    let mut stock = Vec::with_capacity(rows.len());
    for row in rows {
        let found = Found::read(row)?;
        let hotel = last.take().filter(|last| **last == found.hotel).unwrap_or_else(|| Arc::new(found.hotel.clone()));
        stock.push(inventory(found, hotel.clone(), now));
        last = Some(hotel);
    }
    Ok(stock)
}

fn inventory(found: Found, hotel: Arc<Hotel>, now: Timestamp) -> Inventory {
    let today = hotel.today(now);
    let calendar = found.calendar(today, u16::MAX);
    let (room_type, sequence) = (found.room_type.clone(), found.sequence);
    let plans = found.plans(today);
    Inventory::new(hotel, room_type, calendar, plans, Vec::new(), [], sequence)
}

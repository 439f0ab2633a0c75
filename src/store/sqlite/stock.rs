//! What search quotes from: room types with their nights and plans.

use std::ops::RangeInclusive;

use super::Sqlite;
use super::load::END_OF_TIME;
use crate::domain::{HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::sql::{self, earliest_today};

pub(super) const OF_HOTEL: &str = concat!(include_str!("inventory.sql"), "WHERE t.hotel_id = $1 ORDER BY t.id");
pub(super) const BETWEEN: &str =
    concat!(include_str!("inventory.sql"), "WHERE t.id >= $1 AND t.id <= $4 ORDER BY t.id");

impl Sqlite {
    pub(super) async fn stock_of(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(OF_HOTEL).bind(hotel.to_string()).bind(earliest_today(now).to_string());
        sql::stock(&query.bind(END_OF_TIME).fetch_all(&self.readers).await?, now)
    }

    pub(super) async fn stock_in(
        &self,
        ids: RangeInclusive<RoomTypeId>,
        now: Timestamp,
    ) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(BETWEEN).bind(ids.start().to_string()).bind(earliest_today(now).to_string());
        let query = query.bind(END_OF_TIME).bind(ids.end().to_string());
        sql::stock(&query.fetch_all(&self.readers).await?, now)
    }
}

//! What search quotes from: room types with their nights and plans.

use std::ops::RangeInclusive;

use jiff_sqlx::ToSqlx;

use super::Postgres;
use crate::domain::{HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::sql::{self, earliest_today};

pub(super) const OF_HOTEL: &str = concat!(include_str!("inventory.sql"), "WHERE t.hotel_id = $1 ORDER BY t.id");
pub(super) const BETWEEN: &str =
    concat!(include_str!("inventory.sql"), "WHERE t.id >= $1 AND t.id <= $3 ORDER BY t.id");

impl Postgres {
    pub(super) async fn stock_of(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(OF_HOTEL).bind(hotel.0).bind(earliest_today(now).to_sqlx());
        sql::stock(&self.pool.all(query).await?, now)
    }

    pub(super) async fn stock_in(
        &self,
        ids: RangeInclusive<RoomTypeId>,
        now: Timestamp,
    ) -> Result<Vec<Inventory>, Error> {
        let query = sqlx::query(BETWEEN).bind(ids.start().0).bind(earliest_today(now).to_sqlx()).bind(ids.end().0);
        sql::stock(&self.pool.all(query).await?, now)
    }
}

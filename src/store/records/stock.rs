//! What search quotes from: room types with their nights and plans.

use std::ops::RangeInclusive;

use crate::domain::{HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::db::{Connection, Dialect, Statement};
use crate::store::sql::{self, Found, earliest_today};

pub fn of_hotel_text(dialect: &Dialect) -> String {
    format!("{} WHERE t.hotel_id = $1 ORDER BY t.id", dialect.inventory)
}

pub fn between_text(dialect: &Dialect) -> String {
    format!("{} WHERE t.id >= $1 AND t.id <= $3 ORDER BY t.id", dialect.inventory)
}

/// Every room type of a hotel, by id.
pub async fn of_hotel(reading: &mut Connection<'_>, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
    let statement = Statement::new(of_hotel_text(reading.dialect())).bind(hotel.0).bind(earliest_today(now));
    Ok(sql::stock(reading.list(statement, Found::read).await?, now))
}

/// The room types from the first to the last of these ids.
pub async fn between(
    reading: &mut Connection<'_>,
    ids: RangeInclusive<RoomTypeId>,
    now: Timestamp,
) -> Result<Vec<Inventory>, Error> {
    let statement = Statement::new(between_text(reading.dialect())).bind(ids.start().0).bind(earliest_today(now));
    Ok(sql::stock(reading.list(statement.bind(ids.end().0), Found::read).await?, now))
}

//! Room types, but for what their owners change: that is a commit.

use super::{hotels, page_of};
use crate::domain::{HotelId, RoomType, RoomTypeId};
use crate::store::db::{Connection, Dialect, Statement};
use crate::store::sql::{self, Columns};
use crate::store::{Error, Page};

/// The columns of a room type as [`sql::room_type`] reads them.
macro_rules! room_types {
    ($rest:literal) => {
        concat!(
            "SELECT id AS room_type_id, hotel_id, name AS room_type_name, max_adults, max_children, max_occupancy,
                    rooms, overbooking_allowance FROM room_types ",
            $rest
        )
    };
}

pub const INSERT: &str = "
    INSERT INTO room_types (id, hotel_id, name, max_adults, max_children, max_occupancy, rooms, overbooking_allowance)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub const BY_ID: &str = room_types!("WHERE id = $1");
pub const LIST: &str = room_types!("WHERE hotel_id = $1 AND id > $2 ORDER BY id LIMIT $3");
pub const IDS: &str = "SELECT id FROM room_types WHERE id > $1 ORDER BY id LIMIT $2";
pub const IDS_OF_HOTEL: &str = "SELECT id FROM room_types WHERE hotel_id = $1 ORDER BY id";

pub fn with_holds_text(dialect: &Dialect) -> String {
    let bookings = dialect.through("bookings_held");
    format!("SELECT DISTINCT room_type_id FROM bookings{bookings} WHERE status = 'held' ORDER BY room_type_id")
}

/// Its hotel counts as changed.
pub async fn insert(writing: &mut Connection<'_>, room_type: &RoomType) -> Result<(), Error> {
    let insert = Statement::new(INSERT)
        .bind(room_type.id.0)
        .bind(room_type.hotel_id.0)
        .bind(room_type.name.as_str())
        .bind(room_type.occupancy.max_adults)
        .bind(room_type.occupancy.max_children)
        .bind(room_type.occupancy.max_occupancy)
        .bind(room_type.rooms)
        .bind(room_type.overbooking_allowance);
    writing.execute(insert).await?;
    hotels::touch(writing, room_type.hotel_id).await
}

pub async fn find(reading: &mut Connection<'_>, id: RoomTypeId) -> Result<Option<RoomType>, Error> {
    reading.find(Statement::new(BY_ID).bind(id.0), sql::room_type).await
}

pub async fn list(
    reading: &mut Connection<'_>,
    hotel: HotelId,
    page: Page<RoomTypeId>,
) -> Result<Vec<RoomType>, Error> {
    let statement = page_of(hotel.0, LIST, page.after.map(|id| id.0), page.limit);
    reading.list(statement, sql::room_type).await
}

pub async fn ids(reading: &mut Connection<'_>, page: Page<RoomTypeId>) -> Result<Vec<RoomTypeId>, Error> {
    let after = page.after.map(|id| id.0).unwrap_or_default();
    reading.list(Statement::new(IDS).bind(after).bind(page.limit), |row| row.uuid("id").map(RoomTypeId)).await
}

pub async fn ids_of_hotel(reading: &mut Connection<'_>, hotel: HotelId) -> Result<Vec<RoomTypeId>, Error> {
    let statement = Statement::new(IDS_OF_HOTEL).bind(hotel.0);
    reading.list(statement, |row| row.uuid("id").map(RoomTypeId)).await
}

/// Room types that have a hold, whether or not it has expired.
pub async fn with_holds(reading: &mut Connection<'_>) -> Result<Vec<RoomTypeId>, Error> {
    let statement = Statement::new(with_holds_text(reading.dialect()));
    reading.list(statement, |row| row.uuid("room_type_id").map(RoomTypeId)).await
}

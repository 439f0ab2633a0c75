//! Nights of all room types, for the export.

use crate::domain::{Date, RoomTypeId};
use crate::store::db::{Connection, Statement};
use crate::store::{CountedNight, Error, sql};

pub const COUNTED: &str = "
    SELECT h.name AS hotel_name, t.name AS room_type_name, n.room_type_id, n.date,
           coalesce(n.physical, t.rooms) AS physical, n.sold, n.held
    FROM nights AS n
    JOIN room_types AS t ON t.id = n.room_type_id
    JOIN hotels AS h ON h.id = t.hotel_id
    WHERE (n.room_type_id, n.date) > ($1, $2) AND n.sold + n.held > 0
    ORDER BY n.room_type_id, n.date
    LIMIT $3";

/// Nights with anything sold or held, by room type and date, after `after`.
pub async fn counted(
    reading: &mut Connection<'_>,
    after: Option<(RoomTypeId, Date)>,
    limit: u32,
) -> Result<Vec<CountedNight>, Error> {
    let (room_type, date) = after.map_or((Default::default(), Date::ZERO), |(id, date)| (id.0, date));
    reading.list(Statement::new(COUNTED).bind(room_type).bind(date).bind(limit), sql::counted_night).await
}

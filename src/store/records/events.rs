//! The history, as far as no position has to be complete: what follows the feed stays with each database.

use crate::domain::RoomTypeId;
use crate::store::db::{Connection, Statement};
use crate::store::feed::Moment;
use crate::store::{Error, sql};

pub const MOMENT: &str = "
    SELECT e.at, e.position, h.calendar_changed
    FROM events AS e JOIN room_types AS t ON t.id = e.room_type_id JOIN hotels AS h ON h.id = t.hotel_id
    WHERE e.room_type_id = $1 AND e.sequence = $2";

/// When a room type reached a sequence number.
pub async fn moment(
    reading: &mut Connection<'_>,
    room_type: RoomTypeId,
    sequence: u64,
) -> Result<Option<Moment>, Error> {
    // Numbers beyond what the databases count come after everything.
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    reading.find(Statement::new(MOMENT).bind(room_type.0).bind(sequence), sql::moment).await
}

//! Reading single bookings, and those that are held.

use std::sync::Arc;

use sqlx::SqliteConnection;

use super::Sqlite;
use crate::domain::{Booking, BookingId, RoomTypeId};
use crate::store::Error;
use crate::store::sql::{self, Columns};

pub(super) const BOOKING: &str = concat!(include_str!("booking.sql"), "WHERE b.id = $1");
/// The index is named, because the planner would take the one of all statuses.
pub(super) const HOLDS: &str = concat!(
    include_str!("booking.sql"),
    "WHERE b.id IN (
        SELECT id FROM bookings INDEXED BY bookings_held WHERE room_type_id = $1 AND status = 'held'
    )"
);
pub(super) const ROOM_TYPES_WITH_HOLDS: &str = "
    SELECT DISTINCT room_type_id FROM bookings INDEXED BY bookings_held WHERE status = 'held' ORDER BY room_type_id";

pub(super) async fn holds(reading: &mut SqliteConnection, room_type: RoomTypeId) -> Result<Vec<Arc<Booking>>, Error> {
    let rows = sqlx::query(HOLDS).bind(room_type.to_string()).fetch_all(reading).await?;
    rows.iter().map(|row| sql::booking(row).map(Arc::new)).collect()
}

impl Sqlite {
    pub(super) async fn find_booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        let row = sqlx::query(BOOKING).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(sql::booking).transpose()
    }

    pub(super) async fn find_room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        let rows = sqlx::query(ROOM_TYPES_WITH_HOLDS).fetch_all(&self.readers).await?;
        rows.iter().map(|row| row.uuid("room_type_id").map(RoomTypeId)).collect()
    }
}

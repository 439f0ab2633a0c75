//! Reading single bookings, and those that are held.

use std::sync::Arc;

use super::Postgres;
use super::pool::PooledConnection;
use crate::domain::{Booking, BookingId, RoomTypeId};
use crate::store::Error;
use crate::store::sql::{self, Columns};

pub(super) const BOOKING: &str = concat!(include_str!("booking.sql"), "WHERE b.id = $1");
pub(super) const HOLDS: &str =
    concat!(include_str!("booking.sql"), "WHERE b.room_type_id = $1 AND b.status = 'held' ORDER BY b.id");
pub(super) const ROOM_TYPES_WITH_HOLDS: &str = "
    SELECT DISTINCT room_type_id FROM bookings WHERE status = 'held' ORDER BY room_type_id";

pub(super) async fn holds(reading: &mut PooledConnection, room_type: RoomTypeId) -> Result<Vec<Arc<Booking>>, Error> {
    let rows = reading.all(sqlx::query(HOLDS).bind(room_type.0)).await?;
    rows.iter().map(|row| sql::booking(row).map(Arc::new)).collect()
}

impl Postgres {
    pub(super) async fn find_booking(&self, id: BookingId) -> Result<Option<Booking>, Error> {
        let row = self.pool.optional(sqlx::query(BOOKING).bind(id.0)).await?;
        row.as_ref().map(sql::booking).transpose()
    }

    pub(super) async fn find_room_types_with_holds(&self) -> Result<Vec<RoomTypeId>, Error> {
        let rows = self.pool.all(sqlx::query(ROOM_TYPES_WITH_HOLDS)).await?;
        rows.iter().map(|row| row.uuid("room_type_id").map(RoomTypeId)).collect()
    }
}

//! Loads one room type for its actor.

use std::sync::Arc;

use super::Sqlite;
use crate::domain::{Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::sql::{self, Found, earliest_today};

pub(super) const ROOM_TYPE: &str = concat!(include_str!("inventory.sql"), "WHERE t.id = $1");
pub(super) const SERVICES: &str =
    "SELECT id, hotel_id, name, basis, price_minor FROM services WHERE hotel_id = $1 ORDER BY id";
/// The index is named, because the planner would take the one of all statuses.
pub(super) const HOLDS: &str = concat!(
    include_str!("booking.sql"),
    "WHERE b.id IN (
        SELECT id FROM bookings INDEXED BY bookings_held WHERE room_type_id = $1 AND status = 'held'
    )"
);

impl Sqlite {
    /// The room type, read in one transaction.
    pub(super) async fn load_inventory(&self, id: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let mut reading = self.readers.begin().await?;
        let row = sqlx::query(ROOM_TYPE).bind(id.to_string()).bind(earliest_today(now).to_string());
        let Some(row) = row.fetch_optional(&mut *reading).await? else { return Ok(None) };
        let found = Found::read(&row)?;
        let services = sqlx::query(SERVICES).bind(found.hotel.id.to_string()).fetch_all(&mut *reading).await?;
        let services = services.iter().map(sql::service).collect::<Result<_, _>>()?;
        let holds = sqlx::query(HOLDS).bind(id.to_string()).fetch_all(&mut *reading).await?;
        let holds = holds.iter().map(|row| sql::booking(row).map(Arc::new)).collect::<Result<_, _>>()?;
        reading.commit().await?;
        Ok(Some(sql::loaded(found, services, holds, now)))
    }
}

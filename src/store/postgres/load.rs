//! Loads one room type for its actor.

use std::sync::Arc;

use jiff_sqlx::ToSqlx;

use super::Postgres;
use crate::domain::{Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::sql::{self, Found, earliest_today};

pub(super) const ROOM_TYPE: &str = concat!(include_str!("inventory.sql"), "WHERE t.id = $1");
pub(super) const SERVICES: &str =
    "SELECT id, hotel_id, name, basis, price_minor FROM services WHERE hotel_id = $1 ORDER BY id";
pub(super) const HOLDS: &str =
    concat!(include_str!("booking.sql"), "WHERE b.room_type_id = $1 AND b.status = 'held' ORDER BY b.id");

impl Postgres {
    /// The room type, read in one snapshot.
    pub(super) async fn load_inventory(&self, id: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let mut reading = self.pool.snapshot().await?;
        let query = sqlx::query(ROOM_TYPE).bind(id.0).bind(earliest_today(now).to_sqlx());
        let rows = reading.all(query).await?;
        let Some(row) = rows.first() else {
            reading.end().await?;
            return Ok(None);
        };
        let found = Found::read(row)?;
        let services = reading.all(sqlx::query(SERVICES).bind(found.hotel.id.0)).await?;
        let services = services.iter().map(sql::service).collect::<Result<_, _>>()?;
        let holds = reading.all(sqlx::query(HOLDS).bind(id.0)).await?;
        let holds = holds.iter().map(|row| sql::booking(row).map(Arc::new)).collect::<Result<_, _>>()?;
        reading.end().await?;
        Ok(Some(sql::loaded(found, services, holds, now)))
    }
}

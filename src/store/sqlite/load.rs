//! Loading one room type: what recovery starts from.

use super::{Sqlite, bookings};
use crate::domain::{Inventory, RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::sql::{self, Found, earliest_today};

pub(super) const ROOM_TYPE: &str = concat!(include_str!("inventory.sql"), "WHERE t.id = $1");
pub(super) const SERVICES: &str =
    "SELECT id, hotel_id, name, basis, price_minor FROM services WHERE hotel_id = $1 ORDER BY id";
/// After every date that can be written.
pub(super) const END_OF_TIME: &str = "9999-12-32";

impl Sqlite {
    /// The room type, read in one transaction.
    pub(super) async fn load_inventory(&self, id: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let mut reading = self.readers.begin().await?;
        let row = sqlx::query(ROOM_TYPE).bind(id.to_string()).bind(earliest_today(now).to_string()).bind(END_OF_TIME);
        let Some(row) = row.fetch_optional(&mut *reading).await? else { return Ok(None) };
        let found = Found::read(&row)?;
        let services = sqlx::query(SERVICES).bind(found.hotel.id.to_string()).fetch_all(&mut *reading).await?;
        let services = services.iter().map(sql::service).collect::<Result<_, _>>()?;
        let holds = bookings::holds(&mut reading, id).await?;
        reading.commit().await?;
        Ok(Some(sql::loaded(found, services, holds, now)))
    }
}

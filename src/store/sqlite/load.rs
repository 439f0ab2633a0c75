//! Loading one room type: what recovery starts from.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::inventory::Found;
use super::{Sqlite, bookings, rows};
use crate::domain::stay::days_between;
use crate::domain::{Date, Inventory, RoomTypeId, Timestamp};
use crate::store::Error;

pub(super) const ROOM_TYPE: &str = concat!(include_str!("inventory.sql"), "WHERE t.id = $1");
pub(super) const SERVICES: &str =
    "SELECT id, hotel_id, name, basis, price_minor FROM services WHERE hotel_id = $1 ORDER BY id";

impl Sqlite {
    /// The room type, read in one transaction.
    pub(super) async fn load_inventory(&self, id: RoomTypeId, now: Timestamp) -> Result<Option<Inventory>, Error> {
        let mut reading = self.readers.begin().await?;
        let row = sqlx::query(ROOM_TYPE).bind(id.to_string()).bind(earliest_today(now).to_string()).bind(END_OF_TIME);
        let Some(row) = row.fetch_optional(&mut *reading).await? else { return Ok(None) };
        let found = Found::read(&row)?;
        let services = sqlx::query(SERVICES).bind(found.hotel.id.to_string()).fetch_all(&mut *reading).await?;
        let services = services.iter().map(rows::service).collect::<Result<_, _>>()?;
        let holds = bookings::holds(&mut reading, id).await?;
        reading.commit().await?;

        let hotel = Arc::new(found.hotel.clone());
        let today = hotel.today(now);
        let touched = found.last_night().map_or(0, |last| days_between(today, last) + 1);
        let length = hotel.horizon_nights.max(u16::try_from(touched).unwrap_or(0));
        let calendar = found.calendar(today, length);
        let (room_type, sequence) = (found.room_type.clone(), found.sequence);
        let plans = found.plans(today);
        Ok(Some(Inventory::new(hotel, room_type, calendar, plans, services, holds, sequence)))
    }
}

/// After every date that can be written.
pub(super) const END_OF_TIME: &str = "9999-12-32";

/// No hotel's date at `now` is before this one: no time zone is a whole day behind UTC.
pub(super) fn earliest_today(now: Timestamp) -> Date {
    let utc = TimeZone::UTC.to_datetime(now).date();
    utc.yesterday().unwrap_or(utc)
}

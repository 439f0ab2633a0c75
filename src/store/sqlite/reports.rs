//! Reading across room types.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::Sqlite;
use crate::domain::{Booking, BookingId, Date, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::audit::{Evidence, StrayIdempotencyRecord};
use crate::store::sql::{self, Columns};
use crate::store::{BookingFilter, CountedNight, Error, Page, Reports};

pub(super) const COUNTED_NIGHTS: &str = "
    SELECT h.name AS hotel_name, t.name AS room_type_name, n.room_type_id, n.date,
           coalesce(n.physical, t.rooms) AS physical, n.sold, n.held
    FROM nights AS n
    JOIN room_types AS t ON t.id = n.room_type_id
    JOIN hotels AS h ON h.id = t.hotel_id
    WHERE (n.room_type_id, n.date) > ($1, $2) AND n.sold + n.held > 0
    ORDER BY n.room_type_id, n.date
    LIMIT $3";
pub(super) const HOTELS: &str = "SELECT id FROM hotels WHERE id > $1 ORDER BY id LIMIT $2";
pub(super) const ROOM_TYPES: &str = "SELECT id FROM room_types WHERE id > $1 ORDER BY id LIMIT $2";

#[async_trait]
impl Reports for Sqlite {
    async fn bookings(&self, filter: &BookingFilter, page: Page<BookingId>) -> Result<Vec<Booking>, Error> {
        self.list_bookings(filter, page).await
    }

    async fn stock(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        self.stock_of(hotel, now).await
    }

    async fn stock_between(&self, ids: RangeInclusive<RoomTypeId>, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        self.stock_in(ids, now).await
    }

    async fn counted_nights(&self, after: Option<(RoomTypeId, Date)>, limit: u32) -> Result<Vec<CountedNight>, Error> {
        let (room_type, date) = after.map(|(id, date)| (id.to_string(), date.to_string())).unwrap_or_default();
        let query = sqlx::query(COUNTED_NIGHTS).bind(room_type).bind(date).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(sql::counted_night).collect()
    }

    async fn all_hotels(&self, page: Page<HotelId>) -> Result<Vec<HotelId>, Error> {
        let after = page.after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(HOTELS).bind(after).bind(i64::from(page.limit)).fetch_all(&self.readers).await?;
        rows.iter().map(|row| row.uuid("id").map(HotelId)).collect()
    }

    async fn all_room_types(&self, page: Page<RoomTypeId>) -> Result<Vec<RoomTypeId>, Error> {
        let after = page.after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(ROOM_TYPES).bind(after).bind(i64::from(page.limit)).fetch_all(&self.readers).await?;
        rows.iter().map(|row| row.uuid("id").map(RoomTypeId)).collect()
    }

    async fn evidence(&self, room_type: RoomTypeId) -> Result<Evidence, Error> {
        self.gather_evidence(room_type).await
    }

    async fn stray_idempotency_records(&self, limit: u32) -> Result<Vec<StrayIdempotencyRecord>, Error> {
        self.find_stray_idempotency_records(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        self.writer.watch.is_in_place()?;
        self.writer.watch.writable.check(self.try_to_write()).await
    }
}

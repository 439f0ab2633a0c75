//! Reading across room types on every database: which file does what.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::{bookings, evidence, hotels, nights, room_types, stock};
use crate::domain::{Booking, BookingId, Date, HotelId, Inventory, RoomTypeId, Timestamp};
use crate::store::audit::{Evidence, StrayIdempotencyRecord, StrayJob};
use crate::store::db::Database;
use crate::store::{BookingFilter, CountedNight, Error, Page, Reports};

#[async_trait]
impl<D: Database> Reports for D {
    async fn bookings(&self, filter: &BookingFilter, page: Page<BookingId>) -> Result<Vec<Booking>, Error> {
        bookings::list(&mut self.reader().await?, filter, page).await
    }

    async fn live_bookings(&self, hotel: HotelId) -> Result<u64, Error> {
        bookings::count_live(&mut self.reader().await?, hotel).await
    }

    async fn stock(&self, hotel: HotelId, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        stock::of_hotel(&mut self.reader().await?, hotel, now).await
    }

    async fn stock_between(&self, ids: RangeInclusive<RoomTypeId>, now: Timestamp) -> Result<Vec<Inventory>, Error> {
        stock::between(&mut self.reader().await?, ids, now).await
    }

    async fn counted_nights(&self, after: Option<(RoomTypeId, Date)>, limit: u32) -> Result<Vec<CountedNight>, Error> {
        nights::counted(&mut self.reader().await?, after, limit).await
    }

    async fn all_hotels(&self, page: Page<HotelId>) -> Result<Vec<HotelId>, Error> {
        hotels::ids(&mut self.reader().await?, page).await
    }

    async fn all_room_types(&self, page: Page<RoomTypeId>) -> Result<Vec<RoomTypeId>, Error> {
        room_types::ids(&mut self.reader().await?, page).await
    }

    async fn evidence(&self, room_type: RoomTypeId) -> Result<Evidence, Error> {
        let mut reading = self.snapshot().await?;
        let evidence = evidence::of_room_type(&mut reading, room_type).await?;
        reading.commit().await?;
        Ok(evidence)
    }

    async fn stray_idempotency_records(&self, limit: u32) -> Result<Vec<StrayIdempotencyRecord>, Error> {
        let mut reading = self.whole_tables().await?;
        let stray = evidence::stray_idempotency_records(&mut reading, limit).await?;
        reading.commit().await?;
        Ok(stray)
    }

    async fn stray_jobs(&self, limit: u32) -> Result<Vec<StrayJob>, Error> {
        let mut reading = self.whole_tables().await?;
        let stray = evidence::stray_jobs(&mut reading, limit).await?;
        reading.commit().await?;
        Ok(stray)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.probe().await
    }
}

//! The catalogue on every database: which file does what.

use anyhow::anyhow;
use async_trait::async_trait;

use super::{hotels, idempotency, installation, rate_plans, room_types, services};
use crate::domain::{Hotel, HotelId, RatePlan, RatePlanId, RoomType, RoomTypeId, Service, ServiceId};
use crate::store::db::{Connection, Database};
use crate::store::{Answer, Catalogue, Error, NewRecord, Page};

#[async_trait]
impl<D: Database> Catalogue for D {
    async fn insert_hotel(&self, hotel: &Hotel) -> Result<(), Error> {
        let mut writing = self.writer().await?;
        hotels::insert(&mut writing, hotel).await?;
        writing.commit().await
    }

    async fn update_hotel(&self, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error> {
        let mut writing = self.writer().await?;
        let is_changed = hotels::update(&mut writing, seen, hotel).await?;
        writing.commit().await?;
        Ok(is_changed)
    }

    async fn hotel(&self, id: HotelId) -> Result<Option<Hotel>, Error> {
        hotels::find(&mut self.reader().await?, id).await
    }

    async fn hotels(&self, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error> {
        hotels::list(&mut self.reader().await?, city, page).await
    }

    async fn insert_room_type(&self, room_type: &RoomType) -> Result<(), Error> {
        let mut writing = self.writer().await?;
        room_types::insert(&mut writing, room_type).await?;
        writing.commit().await
    }

    async fn room_type(&self, id: RoomTypeId) -> Result<Option<RoomType>, Error> {
        room_types::find(&mut self.reader().await?, id).await
    }

    async fn room_types(&self, hotel: HotelId, page: Page<RoomTypeId>) -> Result<Vec<RoomType>, Error> {
        room_types::list(&mut self.reader().await?, hotel, page).await
    }

    async fn rate_plan(&self, id: RatePlanId) -> Result<Option<RatePlan>, Error> {
        rate_plans::find(&mut self.reader().await?, id).await
    }

    async fn rate_plans(&self, room_type: RoomTypeId, page: Page<RatePlanId>) -> Result<Vec<RatePlan>, Error> {
        rate_plans::list(&mut self.reader().await?, room_type, page).await
    }

    async fn insert_service(&self, service: &Service) -> Result<(), Error> {
        let mut writing = self.writer().await?;
        services::insert(&mut writing, service).await?;
        writing.commit().await
    }

    async fn update_service(&self, seen: &Service, service: &Service) -> Result<bool, Error> {
        let mut writing = self.writer().await?;
        let is_changed = services::update(&mut writing, seen, service).await?;
        writing.commit().await?;
        Ok(is_changed)
    }

    async fn service(&self, id: ServiceId) -> Result<Option<Service>, Error> {
        services::find(&mut self.reader().await?, id).await
    }

    async fn services(&self, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error> {
        services::list(&mut self.reader().await?, hotel, page).await
    }

    async fn insert_once(&self, new: &NewRecord) -> Result<bool, Error> {
        let mut writing = self.writer().await?;
        // The record first: a concurrent request under the same key waits here, before it has done anything.
        if !idempotency::insert(&mut writing, new).await? {
            writing.roll_back().await;
            return Ok(false);
        }
        insert(&mut writing, &new.record.answer).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        Ok(!hotels::exist(&mut self.reader().await?).await?)
    }

    async fn installation_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        let mut writing = self.writer().await?;
        let secret = installation::secret(&mut writing, fresh).await?;
        writing.commit().await?;
        Ok(secret)
    }
}

/// Inserts a new object. Bookings and rate plans are facts: a commit stores them.
async fn insert(writing: &mut Connection<'_>, object: &Answer) -> Result<(), Error> {
    match object {
        Answer::Hotel(hotel) => hotels::insert(writing, hotel).await,
        Answer::RoomType(room_type) => room_types::insert(writing, room_type).await,
        Answer::Service(service) => services::insert(writing, service).await,
        Answer::Booking(_) | Answer::RatePlan(_) | Answer::Unknown(_) => {
            Err(Error::Refused(anyhow!("the catalogue does not insert a {}", object.kind())))
        }
    }
}

//! Hotels, room types, rate plans and services.

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use super::Sqlite;
use crate::domain::{Hotel, HotelId, RatePlan, RatePlanId, RoomType, RoomTypeId, Service, ServiceId, name};
use crate::store::sql::{self, Columns};
use crate::store::{Catalogue, Error, Page};

/// The columns of a hotel as [`crate::store::sql::hotel`] reads them.
macro_rules! hotels {
    ($rest:literal) => {
        concat!(
            "SELECT id AS hotel_id, name AS hotel_name, city, country, timezone, currency, check_in_time,
                    check_out_time, latitude, longitude, max_nights, horizon_nights FROM hotels ",
            $rest
        )
    };
}

/// The columns of a room type as [`crate::store::sql::room_type`] reads them.
macro_rules! room_types {
    ($rest:literal) => {
        concat!(
            "SELECT id AS room_type_id, hotel_id, name AS room_type_name, max_adults, max_children, max_occupancy,
                    rooms, overbooking_allowance FROM room_types ",
            $rest
        )
    };
}

pub(super) const INSERT_HOTEL: &str = "
    INSERT INTO hotels (id, name, city, city_key, country, timezone, currency, check_in_time, check_out_time,
                        latitude, longitude, max_nights, horizon_nights, changed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
            (SELECT coalesce(max(changed), 0) + 1 FROM hotels))";
pub(super) const UPDATE_HOTEL: &str = "
    UPDATE hotels
    SET name = $2, city = $3, city_key = $4, country = $5, timezone = $6, currency = $7, check_in_time = $8,
        check_out_time = $9, latitude = $10, longitude = $11, max_nights = $12, horizon_nights = $13,
        changed = (SELECT max(changed) + 1 FROM hotels),
        calendar_changed = CASE WHEN (timezone, currency, horizon_nights) IS ($6, $7, $13) THEN calendar_changed
                                ELSE (SELECT coalesce(max(position), 0) FROM events) END
    WHERE id = $1
      AND (id, name, city, country, timezone, currency, check_in_time, check_out_time, latitude, longitude, max_nights,
           horizon_nights)
       IS ($14, $15, $16, $18, $19, $20, $21, $22, $23, $24, $25, $26)";
pub(super) const INSERT_ROOM_TYPE: &str = "
    INSERT INTO room_types (id, hotel_id, name, max_adults, max_children, max_occupancy, rooms, overbooking_allowance)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(super) const INSERT_SERVICE: &str = "
    INSERT INTO services (id, hotel_id, name, basis, price_minor) VALUES ($1, $2, $3, $4, $5)";
pub(super) const UPDATE_SERVICE: &str = "
    UPDATE services SET hotel_id = $2, name = $3, basis = $4, price_minor = $5
    WHERE id = $1 AND (id, hotel_id, name, basis, price_minor) IS ($6, $7, $8, $9, $10)";

/// What belongs to a hotel has changed, and so has the hotel.
pub(super) const TOUCH_HOTEL: &str = "
    UPDATE hotels SET changed = (SELECT max(changed) + 1 FROM hotels) WHERE id = $1";

pub(super) const HOTEL: &str = hotels!("WHERE id = $1");
pub(super) const HOTELS: &str = hotels!("WHERE id > $1 ORDER BY id LIMIT $2");
pub(super) const HOTELS_OF_CITY: &str = hotels!("WHERE city_key = $1 AND id > $2 ORDER BY id LIMIT $3");
pub(super) const ROOM_TYPE: &str = room_types!("WHERE id = $1");
pub(super) const ROOM_TYPES: &str = room_types!("WHERE hotel_id = $1 AND id > $2 ORDER BY id LIMIT $3");
pub(super) const RATE_PLAN: &str = "SELECT * FROM rate_plans WHERE id = $1";
pub(super) const RATE_PLANS: &str = "SELECT * FROM rate_plans WHERE room_type_id = $1 AND id > $2 ORDER BY id LIMIT $3";
pub(super) const SERVICE: &str = "SELECT * FROM services WHERE id = $1";
pub(super) const SERVICES: &str = "SELECT * FROM services WHERE hotel_id = $1 AND id > $2 ORDER BY id LIMIT $3";

#[async_trait]
impl Catalogue for Sqlite {
    async fn insert_hotel(&self, hotel: &Hotel) -> Result<(), Error> {
        self.writer.execute(bind_hotel(sqlx::query(INSERT_HOTEL), hotel)).await?;
        Ok(())
    }

    async fn update_hotel(&self, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error> {
        let update = bind_hotel(bind_hotel(sqlx::query(UPDATE_HOTEL), hotel), seen);
        Ok(self.writer.execute(update).await? > 0)
    }

    async fn hotel(&self, id: HotelId) -> Result<Option<Hotel>, Error> {
        self.one(HOTEL, id.to_string(), sql::hotel).await
    }

    async fn hotels(&self, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error> {
        let after = page.after.map(|id| id.to_string()).unwrap_or_default();
        let query = match city {
            Some(city) => sqlx::query(HOTELS_OF_CITY).bind(name::key(city)),
            None => sqlx::query(HOTELS),
        };
        let rows = query.bind(after).bind(i64::from(page.limit)).fetch_all(&self.readers).await?;
        rows.iter().map(sql::hotel).collect()
    }

    async fn insert_room_type(&self, room_type: &RoomType) -> Result<(), Error> {
        let occupancy = room_type.occupancy;
        let query = sqlx::query(INSERT_ROOM_TYPE)
            .bind(room_type.id.to_string())
            .bind(room_type.hotel_id.to_string())
            .bind(&room_type.name)
            .bind(occupancy.max_adults)
            .bind(occupancy.max_children)
            .bind(occupancy.max_occupancy)
            .bind(room_type.rooms)
            .bind(room_type.overbooking_allowance);
        self.within(room_type.hotel_id, query).await?;
        Ok(())
    }

    async fn room_type(&self, id: RoomTypeId) -> Result<Option<RoomType>, Error> {
        self.one(ROOM_TYPE, id.to_string(), sql::room_type).await
    }

    async fn room_types(&self, hotel: HotelId, page: Page<RoomTypeId>) -> Result<Vec<RoomType>, Error> {
        self.page(ROOM_TYPES, hotel.to_string(), page, sql::room_type).await
    }

    async fn rate_plan(&self, id: RatePlanId) -> Result<Option<RatePlan>, Error> {
        self.one(RATE_PLAN, id.to_string(), sql::rate_plan).await
    }

    async fn rate_plans(&self, room_type: RoomTypeId, page: Page<RatePlanId>) -> Result<Vec<RatePlan>, Error> {
        self.page(RATE_PLANS, room_type.to_string(), page, sql::rate_plan).await
    }

    async fn insert_service(&self, service: &Service) -> Result<(), Error> {
        self.within(service.hotel_id, bind_service(sqlx::query(INSERT_SERVICE), service)).await?;
        Ok(())
    }

    async fn update_service(&self, seen: &Service, service: &Service) -> Result<bool, Error> {
        let update = bind_service(bind_service(sqlx::query(UPDATE_SERVICE), service), seen);
        Ok(self.within(service.hotel_id, update).await? > 0)
    }

    async fn service(&self, id: ServiceId) -> Result<Option<Service>, Error> {
        self.one(SERVICE, id.to_string(), sql::service).await
    }

    async fn services(&self, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error> {
        self.page(SERVICES, hotel.to_string(), page, sql::service).await
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        let exists = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM hotels)");
        let exists: bool = exists.fetch_one(&self.readers).await?;
        Ok(!exists)
    }

    async fn installation_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        let keep = "INSERT INTO installation (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        self.writer.execute(sqlx::query(keep).bind(fresh.as_slice())).await?;
        let row = sqlx::query("SELECT secret FROM installation").fetch_one(&self.readers).await?;
        row.bytes("secret")
    }
}

impl Sqlite {
    /// Changes something that belongs to a hotel; how many rows that were.
    async fn within(&self, hotel: HotelId, change: SqliteQuery<'_>) -> Result<u64, Error> {
        let mut turn = self.writer.turn().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut turn.connection).await?;
        let changed = change.execute(&mut turn.connection).await?.rows_affected();
        if changed > 0 {
            sqlx::query(TOUCH_HOTEL).bind(hotel.to_string()).execute(&mut turn.connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut turn.connection).await?;
        turn.give_back()?;
        Ok(changed)
    }

    async fn one<T>(
        &self,
        statement: &'static str,
        id: String,
        read: fn(&SqliteRow) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let row = sqlx::query(statement).bind(id).fetch_optional(&self.readers).await?;
        row.as_ref().map(read).transpose()
    }

    /// A page of what belongs to `owner`.
    async fn page<T, Id: ToString>(
        &self,
        statement: &'static str,
        owner: String,
        page: Page<Id>,
        read: fn(&SqliteRow) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let after = page.after.map(|id| id.to_string()).unwrap_or_default();
        let query = sqlx::query(statement).bind(owner).bind(after).bind(i64::from(page.limit));
        query.fetch_all(&self.readers).await?.iter().map(read).collect()
    }
}

/// A statement whose next parameters are a row.
type SqliteQuery<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind_hotel<'q>(statement: SqliteQuery<'q>, hotel: &'q Hotel) -> SqliteQuery<'q> {
    statement
        .bind(hotel.id.to_string())
        .bind(&hotel.name)
        .bind(&hotel.city)
        .bind(name::key(&hotel.city))
        .bind(&hotel.country)
        .bind(hotel.timezone.name())
        .bind(hotel.currency.code())
        .bind(hotel.check_in_time.to_string())
        .bind(hotel.check_out_time.to_string())
        .bind(hotel.location.map(|location| location.latitude))
        .bind(hotel.location.map(|location| location.longitude))
        .bind(hotel.max_nights)
        .bind(hotel.horizon_nights)
}

fn bind_service<'q>(statement: SqliteQuery<'q>, service: &'q Service) -> SqliteQuery<'q> {
    statement
        .bind(service.id.to_string())
        .bind(service.hotel_id.to_string())
        .bind(&service.name)
        .bind(sql::basis_name(service.basis))
        .bind(service.price.minor())
}

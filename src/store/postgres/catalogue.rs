//! Hotels, room types, rate plans and services.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::Postgres;
use super::pool::PgQuery;
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

/// The order of a change that this transaction makes: see event_positions in the schema.
macro_rules! now {
    () => {
        "(SELECT base + (pg_current_xact_id()::text::bigint << 12) FROM event_positions)"
    };
}

pub(super) const INSERT_HOTEL: &str = concat!(
    "INSERT INTO hotels (id, name, city, city_key, country, timezone, currency, check_in_time, check_out_time,
                         latitude, longitude, max_nights, horizon_nights, changed)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, ",
    now!(),
    ")"
);
pub(super) const UPDATE_HOTEL: &str = concat!(
    "UPDATE hotels
     SET name = $2, city = $3, city_key = $4, country = $5, timezone = $6, currency = $7, check_in_time = $8,
         check_out_time = $9, latitude = $10, longitude = $11, max_nights = $12, horizon_nights = $13, changed = ",
    now!(),
    ", calendar_changed = CASE
         WHEN (timezone, currency, horizon_nights) IS NOT DISTINCT FROM ($6, $7, $13) THEN calendar_changed ELSE ",
    now!(),
    " END
     WHERE id = $1
      AND (id, name, city, country, timezone, currency, check_in_time, check_out_time, latitude, longitude, max_nights,
           horizon_nights)
       IS NOT DISTINCT FROM ($14, $15, $16, $18, $19, $20, $21, $22, $23, $24, $25, $26)"
);

/// Changes something that belongs to a hotel, and with it the hotel, once or not at all.
macro_rules! within_hotel {
    ($change:literal) => {
        concat!(
            "WITH change AS (",
            $change,
            " RETURNING hotel_id) UPDATE hotels SET changed = ",
            now!(),
            " FROM change WHERE hotels.id = change.hotel_id"
        )
    };
}

pub(super) const INSERT_ROOM_TYPE: &str = within_hotel!(
    "INSERT INTO room_types (id, hotel_id, name, max_adults, max_children, max_occupancy, rooms, overbooking_allowance)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
);
pub(super) const INSERT_SERVICE: &str =
    within_hotel!("INSERT INTO services (id, hotel_id, name, basis, price_minor) VALUES ($1, $2, $3, $4, $5)");
pub(super) const UPDATE_SERVICE: &str = within_hotel!(
    "UPDATE services SET hotel_id = $2, name = $3, basis = $4, price_minor = $5
     WHERE id = $1 AND (id, hotel_id, name, basis, price_minor) IS NOT DISTINCT FROM ($6, $7, $8, $9, $10)"
);

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
impl Catalogue for Postgres {
    async fn insert_hotel(&self, hotel: &Hotel) -> Result<(), Error> {
        self.write(bind_hotel(sqlx::query(INSERT_HOTEL), hotel)).await?;
        Ok(())
    }

    async fn update_hotel(&self, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error> {
        let update = bind_hotel(bind_hotel(sqlx::query(UPDATE_HOTEL), hotel), seen);
        Ok(self.write(update).await? > 0)
    }

    async fn hotel(&self, id: HotelId) -> Result<Option<Hotel>, Error> {
        self.one(HOTEL, id.0, sql::hotel).await
    }

    async fn hotels(&self, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error> {
        let after = page.after.map_or(Uuid::nil(), |id| id.0);
        let query = match city {
            // PostgreSQL's text has no NUL, and asking for one is an error.
            Some(city) if city.contains('\0') => return Ok(Vec::new()),
            Some(city) => sqlx::query(HOTELS_OF_CITY).bind(name::key(city)),
            None => sqlx::query(HOTELS),
        };
        let rows = self.pool.all(query.bind(after).bind(i64::from(page.limit))).await?;
        rows.iter().map(sql::hotel).collect()
    }

    async fn insert_room_type(&self, room_type: &RoomType) -> Result<(), Error> {
        let occupancy = room_type.occupancy;
        let query = sqlx::query(INSERT_ROOM_TYPE)
            .bind(room_type.id.0)
            .bind(room_type.hotel_id.0)
            .bind(&room_type.name)
            .bind(i32::from(occupancy.max_adults))
            .bind(i32::from(occupancy.max_children))
            .bind(i32::from(occupancy.max_occupancy))
            .bind(i32::from(room_type.rooms))
            .bind(i32::from(room_type.overbooking_allowance));
        self.write(query).await?;
        Ok(())
    }

    async fn room_type(&self, id: RoomTypeId) -> Result<Option<RoomType>, Error> {
        self.one(ROOM_TYPE, id.0, sql::room_type).await
    }

    async fn room_types(&self, hotel: HotelId, page: Page<RoomTypeId>) -> Result<Vec<RoomType>, Error> {
        self.page(ROOM_TYPES, hotel.0, page.after.map(|id| id.0), page.limit, sql::room_type).await
    }

    async fn rate_plan(&self, id: RatePlanId) -> Result<Option<RatePlan>, Error> {
        self.one(RATE_PLAN, id.0, sql::rate_plan).await
    }

    async fn rate_plans(&self, room_type: RoomTypeId, page: Page<RatePlanId>) -> Result<Vec<RatePlan>, Error> {
        self.page(RATE_PLANS, room_type.0, page.after.map(|id| id.0), page.limit, sql::rate_plan).await
    }

    async fn insert_service(&self, service: &Service) -> Result<(), Error> {
        self.write(bind_service(sqlx::query(INSERT_SERVICE), service)).await?;
        Ok(())
    }

    async fn update_service(&self, seen: &Service, service: &Service) -> Result<bool, Error> {
        let update = bind_service(bind_service(sqlx::query(UPDATE_SERVICE), service), seen);
        Ok(self.write(update).await? > 0)
    }

    async fn service(&self, id: ServiceId) -> Result<Option<Service>, Error> {
        self.one(SERVICE, id.0, sql::service).await
    }

    async fn services(&self, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error> {
        self.page(SERVICES, hotel.0, page.after.map(|id| id.0), page.limit, sql::service).await
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        let rows = self.pool.all(sqlx::query("SELECT id FROM hotels LIMIT 1")).await?;
        Ok(rows.is_empty())
    }

    async fn installation_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        let keep = "INSERT INTO installation (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        self.write(sqlx::query(keep).bind(fresh.as_slice())).await?;
        let row = self.pool.one(sqlx::query("SELECT secret FROM installation")).await?;
        row.bytes("secret")
    }
}

impl Postgres {
    async fn one<T>(
        &self,
        statement: &'static str,
        id: Uuid,
        read: fn(&PgRow) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let row = self.pool.optional(sqlx::query(statement).bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// A page of what belongs to `owner`.
    async fn page<T>(
        &self,
        statement: &'static str,
        owner: Uuid,
        after: Option<Uuid>,
        limit: u32,
        read: fn(&PgRow) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let query = sqlx::query(statement).bind(owner).bind(after.unwrap_or_default()).bind(i64::from(limit));
        self.pool.all(query).await?.iter().map(read).collect()
    }
}

fn bind_hotel<'q>(statement: PgQuery<'q>, hotel: &'q Hotel) -> PgQuery<'q> {
    statement
        .bind(hotel.id.0)
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
        .bind(i32::from(hotel.max_nights))
        .bind(i32::from(hotel.horizon_nights))
}

fn bind_service<'q>(statement: PgQuery<'q>, service: &'q Service) -> PgQuery<'q> {
    statement
        .bind(service.id.0)
        .bind(service.hotel_id.0)
        .bind(&service.name)
        .bind(sql::basis_name(service.basis))
        .bind(service.price.minor())
}

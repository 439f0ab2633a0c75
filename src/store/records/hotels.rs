//! Hotels.

use crate::domain::{Hotel, HotelId, name};
use crate::store::db::{Connection, Dialect, Statement, Value};
use crate::store::sql::{self, Columns};
use crate::store::{Error, Page};

/// The columns of a hotel as [`sql::hotel`] reads them.
macro_rules! hotels {
    ($rest:literal) => {
        concat!(
            "SELECT id AS hotel_id, name AS hotel_name, city, country, timezone, currency, check_in_time,
                    check_out_time, latitude, longitude, max_nights, horizon_nights FROM hotels ",
            $rest
        )
    };
}

pub const BY_ID: &str = hotels!("WHERE id = $1");
pub const LIST: &str = hotels!("WHERE id > $1 ORDER BY id LIMIT $2");
pub const LIST_OF_CITY: &str = hotels!("WHERE city_key = $1 AND id > $2 ORDER BY id LIMIT $3");
pub const IDS: &str = "SELECT id FROM hotels WHERE id > $1 ORDER BY id LIMIT $2";
const EXIST: &str = "SELECT EXISTS (SELECT 1 FROM hotels) AS found";

pub fn insert_text(dialect: &Dialect) -> String {
    format!(
        "INSERT INTO hotels (id, name, city, city_key, country, timezone, currency, check_in_time, check_out_time,
                             latitude, longitude, max_nights, horizon_nights, changed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, {change})",
        change = dialect.change
    )
}

/// $1 to $13 are the hotel as it will be, $14 to $26 as it was seen.
pub fn update_text(dialect: &Dialect) -> String {
    format!(
        "UPDATE hotels
         SET name = $2, city = $3, city_key = $4, country = $5, timezone = $6, currency = $7, check_in_time = $8,
             check_out_time = $9, latitude = $10, longitude = $11, max_nights = $12, horizon_nights = $13,
             changed = {change},
             calendar_changed = CASE
                 WHEN (timezone, currency, horizon_nights) IS NOT DISTINCT FROM ($6, $7, $13) THEN calendar_changed
                 ELSE {calendar_change} END
         WHERE id = $1
           AND (id, name, city, country, timezone, currency, check_in_time, check_out_time, latitude, longitude,
                max_nights, horizon_nights)
               IS NOT DISTINCT FROM ($14, $15, $16, $18, $19, $20, $21, $22, $23, $24, $25, $26)",
        change = dialect.change,
        calendar_change = dialect.calendar_change
    )
}

pub fn touch_text(dialect: &Dialect) -> String {
    format!("UPDATE hotels SET changed = {} WHERE id = $1", dialect.change)
}

pub async fn insert(writing: &mut Connection<'_>, hotel: &Hotel) -> Result<(), Error> {
    let insert = Statement::new(insert_text(writing.dialect())).bind_all(values(hotel));
    writing.execute(insert).await?;
    Ok(())
}

/// Only if the hotel still is what was `seen`; whether it was.
pub async fn update(writing: &mut Connection<'_>, seen: &Hotel, hotel: &Hotel) -> Result<bool, Error> {
    let update = Statement::new(update_text(writing.dialect())).bind_all(values(hotel)).bind_all(values(seen));
    Ok(writing.execute(update).await? > 0)
}

/// Something that belongs to the hotel has changed, so the hotel counts as changed.
pub async fn touch(writing: &mut Connection<'_>, id: HotelId) -> Result<(), Error> {
    let touch = Statement::new(touch_text(writing.dialect())).bind(id.0);
    writing.execute(touch).await?;
    Ok(())
}

pub async fn find(reading: &mut Connection<'_>, id: HotelId) -> Result<Option<Hotel>, Error> {
    reading.find(Statement::new(BY_ID).bind(id.0), sql::hotel).await
}

/// By id, after `page.after`; `city` matches without regard to case.
pub async fn list(reading: &mut Connection<'_>, city: Option<&str>, page: Page<HotelId>) -> Result<Vec<Hotel>, Error> {
    let statement = match city {
        // PostgreSQL's text has no NUL, and a parameter with one is an error.
        Some(city) if city.contains('\0') => return Ok(Vec::new()),
        Some(city) => Statement::new(LIST_OF_CITY).bind(name::key(city)),
        None => Statement::new(LIST),
    };
    let after = page.after.map(|id| id.0).unwrap_or_default();
    reading.list(statement.bind(after).bind(page.limit), sql::hotel).await
}

pub async fn ids(reading: &mut Connection<'_>, page: Page<HotelId>) -> Result<Vec<HotelId>, Error> {
    let after = page.after.map(|id| id.0).unwrap_or_default();
    reading.list(Statement::new(IDS).bind(after).bind(page.limit), |row| row.uuid("id").map(HotelId)).await
}

/// Whether there is a hotel.
pub async fn exist(reading: &mut Connection<'_>) -> Result<bool, Error> {
    let found = reading.find(Statement::new(EXIST), |row| row.boolean("found")).await?;
    Ok(found.unwrap_or_default())
}

/// In the order of the columns in [`insert_text`].
fn values(hotel: &Hotel) -> [Value; 13] {
    [
        hotel.id.0.into(),
        hotel.name.as_str().into(),
        hotel.city.as_str().into(),
        name::key(&hotel.city).into(),
        hotel.country.as_str().into(),
        hotel.timezone.name().into(),
        hotel.currency.code().into(),
        hotel.check_in_time.to_string().into(),
        hotel.check_out_time.to_string().into(),
        hotel.location.map(|location| location.latitude).into(),
        hotel.location.map(|location| location.longitude).into(),
        hotel.max_nights.into(),
        hotel.horizon_nights.into(),
    ]
}

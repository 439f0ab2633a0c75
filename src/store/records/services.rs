//! Services of hotels.

use super::{hotels, page_of};
use crate::domain::{HotelId, Service, ServiceId};
use crate::store::db::{Connection, Statement, Value};
use crate::store::sql;
use crate::store::{Error, Page};

pub const INSERT: &str = "INSERT INTO services (id, hotel_id, name, basis, price_minor) VALUES ($1, $2, $3, $4, $5)";
/// $1 to $5 are the service as it will be, $6 to $10 as it was seen.
pub const UPDATE: &str = "
    UPDATE services SET hotel_id = $2, name = $3, basis = $4, price_minor = $5
    WHERE id = $1 AND (id, hotel_id, name, basis, price_minor) IS NOT DISTINCT FROM ($6, $7, $8, $9, $10)";
pub const BY_ID: &str = "SELECT * FROM services WHERE id = $1";
pub const LIST: &str = "SELECT * FROM services WHERE hotel_id = $1 AND id > $2 ORDER BY id LIMIT $3";

/// Its hotel counts as changed.
pub async fn insert(writing: &mut Connection<'_>, service: &Service) -> Result<(), Error> {
    writing.execute(Statement::new(INSERT).bind_all(values(service))).await?;
    hotels::touch(writing, service.hotel_id).await
}

/// Only if the service still is what was `seen`; whether it was. Then its hotel counts as changed.
pub async fn update(writing: &mut Connection<'_>, seen: &Service, service: &Service) -> Result<bool, Error> {
    let update = Statement::new(UPDATE).bind_all(values(service)).bind_all(values(seen));
    let is_changed = writing.execute(update).await? > 0;
    if is_changed {
        hotels::touch(writing, service.hotel_id).await?;
    }
    Ok(is_changed)
}

pub async fn find(reading: &mut Connection<'_>, id: ServiceId) -> Result<Option<Service>, Error> {
    reading.find(Statement::new(BY_ID).bind(id.0), sql::service).await
}

pub async fn list(reading: &mut Connection<'_>, hotel: HotelId, page: Page<ServiceId>) -> Result<Vec<Service>, Error> {
    let statement = page_of(hotel.0, LIST, page.after.map(|id| id.0), page.limit);
    reading.list(statement, sql::service).await
}

/// In the order of the columns in [`INSERT`].
fn values(service: &Service) -> [Value; 5] {
    [
        service.id.0.into(),
        service.hotel_id.0.into(),
        service.name.as_str().into(),
        sql::basis_name(service.basis).into(),
        service.price.minor().into(),
    ]
}

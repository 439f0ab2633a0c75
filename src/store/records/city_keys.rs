//! The keys by which cities are compared: computed again when another edition of [`name::key`] made them.

use uuid::Uuid;

use crate::domain::name;
use crate::store::Error;
use crate::store::db::{Connection, Database, Statement};
use crate::store::sql::{Columns, unreadable};

const EDITION: &str = "SELECT edition FROM name_keys WHERE id = 1";
const CITIES: &str = "SELECT id, city, city_key FROM hotels WHERE id > $1 ORDER BY id LIMIT 1000";
const SET_KEY: &str = "UPDATE hotels SET city_key = $2 WHERE id = $1";
const SET_EDITION: &str = "UPDATE name_keys SET edition = $1 WHERE id = 1";

/// A hotel's id, its city, and the city's key.
type City = (Uuid, String, String);

/// Called at every migration. All keys change in one transaction, so an interrupted call is repeated by the next start.
pub async fn bring_up_to_date(database: &impl Database) -> Result<(), Error> {
    if edition(&mut database.reader().await?).await? == name::EDITION {
        return Ok(());
    }
    let mut writing = database.writer().await?;
    let mut after = Uuid::nil();
    loop {
        let page = writing.list(Statement::new(CITIES).bind(after), city).await?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        for (id, city, stored) in &page {
            let key = name::key(city);
            if key != *stored {
                writing.execute(Statement::new(SET_KEY).bind(*id).bind(key)).await?;
            }
        }
    }
    writing.execute(Statement::new(SET_EDITION).bind(name::EDITION)).await?;
    writing.commit().await
}

async fn edition(reading: &mut Connection<'_>) -> Result<i64, Error> {
    let edition = reading.find(Statement::new(EDITION), |row| row.number("edition")).await?;
    edition.ok_or_else(|| unreadable("edition", "there is no row"))
}

fn city(row: &impl Columns) -> Result<City, Error> {
    Ok((row.uuid("id")?, row.text("city")?.to_owned(), row.text("city_key")?.to_owned()))
}

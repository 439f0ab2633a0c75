//! Keys of names that are stored: computed anew when another edition of the program made them.

use sqlx::{Connection, Row, SqliteConnection};

use crate::domain::name;

const EDITION: &str = "SELECT edition FROM name_keys WHERE id = 1";
const CITIES: &str = "SELECT id, city, city_key FROM hotels WHERE id > $1 ORDER BY id LIMIT 1000";
const SET_KEY: &str = "UPDATE hotels SET city_key = $2 WHERE id = $1";
const SET_EDITION: &str = "UPDATE name_keys SET edition = $1 WHERE id = 1";

/// All or nothing, so that a start that was interrupted is made up for by the next one.
pub(super) async fn bring_up_to_date(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let edition: i64 = sqlx::query_scalar(EDITION).fetch_one(&mut *connection).await?;
    if edition == name::EDITION {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut after = String::new();
    loop {
        let page = sqlx::query(CITIES).bind(&after).fetch_all(&mut *transaction).await?;
        let Some(last) = page.last() else { break };
        after = last.try_get("id")?;
        for row in &page {
            let key = name::key(row.try_get("city")?);
            if key != row.try_get::<&str, _>("city_key")? {
                let id: &str = row.try_get("id")?;
                sqlx::query(SET_KEY).bind(id).bind(key).execute(&mut *transaction).await?;
            }
        }
    }
    sqlx::query(SET_EDITION).bind(name::EDITION).execute(&mut *transaction).await?;
    transaction.commit().await
}

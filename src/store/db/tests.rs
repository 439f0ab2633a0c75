//! What every database promises its callers. Each database runs [`all`] in its own tests.

use serde_json::json;
use uuid::Uuid;

use super::{Columns, Database, Statement, Value};
use crate::domain::Date;
use crate::store::Error;

const KEEP_EDITION: &str = "UPDATE name_keys SET edition = $1";
const EDITION: &str = "SELECT edition FROM name_keys";
/// No hotel has this id, so a reference forbids it.
const FORBIDDEN: &str =
    "INSERT INTO services (id, hotel_id, name, basis, price_minor) VALUES ($1, $1, 'Spa', 'per_stay', 1)";

/// On a database with the schema, and without hotels.
pub async fn all(database: &impl Database) {
    a_value_of_each_type_comes_back(database).await;
    a_missing_value_of_each_type_is_null(database).await;
    only_a_committed_transaction_leaves_a_trace(database).await;
    a_refused_statement_ends_its_transaction(database).await;
    a_snapshot_does_not_see_later_commits(database).await;
}

async fn a_value_of_each_type_comes_back(database: &impl Database) {
    let (id, date) = (Uuid::from_u128(7), Date::constant(2026, 5, 1));
    let statement = Statement::new(
        "SELECT $1 AS id, $2 AS name, $3 AS number, $4 AS share, $5 AS flag, $6 AS day, $7 AS bytes, $8 AS list",
    );
    let statement = statement.bind(id).bind("ß 'x'").bind(i64::MAX).bind(0.5).bind(true).bind(date);
    let statement = statement.bind(vec![0_u8, 255]).bind(Value::json(&json!([1, "a"])).unwrap());
    let mut reader = database.reader().await.unwrap();
    let read = reader.find(statement, |row| {
        assert_eq!((row.uuid("id")?, row.text("name")?), (id, "ß 'x'"));
        assert_eq!((row.number::<i64>("number")?, row.float_opt("share")?), (i64::MAX, Some(0.5)));
        assert_eq!((row.boolean("flag")?, row.date("day")?, row.blob("bytes")?), (true, date, &[0, 255][..]));
        assert_eq!(row.json::<serde_json::Value>("list")?, json!([1, "a"]));
        Ok(())
    });
    assert_eq!(read.await.unwrap(), Some(()));
}

async fn a_missing_value_of_each_type_is_null(database: &impl Database) {
    let missing = [
        None::<Uuid>.into(),
        None::<&str>.into(),
        None::<i64>.into(),
        None::<f64>.into(),
        None::<bool>.into(),
        None::<Date>.into(),
        None::<Vec<u8>>.into(),
        Value::Json(None),
    ];
    let nulls = (1..=missing.len()).map(|number| format!("${number} IS NULL")).collect::<Vec<_>>().join(" AND ");
    let statement = Statement::new(format!("SELECT {nulls} AS missing")).bind_all(missing);
    let read = database.reader().await.unwrap().find(statement, |row| row.boolean("missing")).await;
    assert_eq!(read.unwrap(), Some(true));
}

async fn edition(database: &impl Database) -> i64 {
    let mut reader = database.reader().await.unwrap();
    reader.find(Statement::new(EDITION), |row| row.number("edition")).await.unwrap().unwrap()
}

async fn only_a_committed_transaction_leaves_a_trace(database: &impl Database) {
    let mut writer = database.writer().await.unwrap();
    assert_eq!(writer.execute(Statement::new(KEEP_EDITION).bind(11)).await.unwrap(), 1);
    writer.commit().await.unwrap();
    assert_eq!(edition(database).await, 11);

    let mut writer = database.writer().await.unwrap();
    writer.execute(Statement::new(KEEP_EDITION).bind(12)).await.unwrap();
    writer.roll_back().await;
    let mut writer = database.writer().await.unwrap();
    writer.execute(Statement::new(KEEP_EDITION).bind(13)).await.unwrap();
    drop(writer);
    assert_eq!(edition(database).await, 11);
}

async fn a_refused_statement_ends_its_transaction(database: &impl Database) {
    let mut writer = database.writer().await.unwrap();
    writer.execute(Statement::new(KEEP_EDITION).bind(14)).await.unwrap();
    let refused = writer.execute(Statement::new(FORBIDDEN).bind(Uuid::from_u128(9))).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert!(writer.execute(Statement::new(KEEP_EDITION).bind(15)).await.is_err());
    assert!(writer.commit().await.is_err());
    assert_eq!(edition(database).await, 11);
    database.probe().await.unwrap();
}

async fn a_snapshot_does_not_see_later_commits(database: &impl Database) {
    let mut snapshot = database.snapshot().await.unwrap();
    let seen = |row: &super::Row| row.number::<i64>("edition");
    assert_eq!(snapshot.find(Statement::new(EDITION), seen).await.unwrap(), Some(11));
    let mut writer = database.writer().await.unwrap();
    writer.execute(Statement::new(KEEP_EDITION).bind(16)).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(snapshot.find(Statement::new(EDITION), seen).await.unwrap(), Some(11));
    snapshot.commit().await.unwrap();
    assert_eq!(edition(database).await, 16);
}

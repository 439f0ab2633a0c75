//! Migrations: the schema, in numbered steps that are never edited once released.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection, SqlSafeStr, SqlStr};

use super::Postgres;
use crate::store::{Error, sql};

/// Every step: number, name, SQL. A new one goes to the end, with a twin in every other store's folder.
pub(super) const STEPS: [(i64, &str, &str); 2] = [
    (1, "ledger", include_str!("../../../migrations/postgres/0001_ledger.sql")),
    (2, "rooms", include_str!("../../../migrations/postgres/0002_rooms.sql")),
];

/// The number of the last step this version knows.
pub(super) const LATEST: i64 = STEPS[STEPS.len() - 1].0;

/// Keeps positions of events growing in a cluster whose transactions have lower numbers than those that were stored: the
/// next one comes after all of them. Nodes that start together take turns.
const KEEP_POSITIONS_GROWING: &str = "
    UPDATE event_positions
    SET base = stored.last - (pg_current_xact_id()::text::bigint << 12) + 1
    FROM (
        SELECT greatest((SELECT max(position) FROM events), (SELECT position FROM event_trim),
                        (SELECT max(changed) FROM hotels)) AS last
    ) AS stored
    WHERE stored.last >= base + (pg_current_xact_id()::text::bigint << 12)";

impl Postgres {
    /// Brings the schema up to date. Doing it again does nothing; of several nodes that do it at once, one does it.
    pub async fn migrate(&self) -> Result<(), Error> {
        let mut connection = self.unhurried.connect().await?;
        migrator().run(&mut connection).await.map_err(sql::cannot_migrate)?;
        keep_positions_growing(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}

async fn keep_positions_growing(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query(KEEP_POSITIONS_GROWING).execute(connection).await?;
    Ok(())
}

fn migrator() -> Migrator {
    let step = |(number, name, sql): (i64, &'static str, &'static str)| {
        let sql: SqlStr = sql.into_sql_str();
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(STEPS.into_iter().map(step).collect())
}

//! Migrations: the schema in numbered steps. A released step is never edited.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqlStr};

use super::Sqlite;
use crate::store::records::city_keys;
use crate::store::{Error, sql};

/// Every step: number, name, SQL. A new step is added at the end, with a twin in the folder of every other store.
pub(super) const STEPS: [(i64, &str, &str); 7] = [
    (1, "ledger", include_str!("../../../migrations/sqlite/0001_ledger.sql")),
    (2, "rooms", include_str!("../../../migrations/sqlite/0002_rooms.sql")),
    (3, "forced_nights", include_str!("../../../migrations/sqlite/0003_forced_nights.sql")),
    (4, "name_keys", include_str!("../../../migrations/sqlite/0004_name_keys.sql")),
    (5, "shown_calendars", include_str!("../../../migrations/sqlite/0005_shown_calendars.sql")),
    (6, "general_records", include_str!("../../../migrations/sqlite/0006_general_records.sql")),
    (7, "members", include_str!("../../../migrations/sqlite/0007_members.sql")),
];

/// The number of the last step this version knows.
pub(super) const LATEST: i64 = STEPS[STEPS.len() - 1].0;

impl Sqlite {
    /// Brings the schema up to date. Repeating it does nothing.
    pub async fn migrate(&self) -> Result<(), Error> {
        let mut turn = self.writer.turn().await?;
        migrator().run(&mut turn.connection).await.map_err(sql::cannot_migrate)?;
        turn.give_back()?;
        city_keys::bring_up_to_date(self).await?;
        self.begin_use().await;
        Ok(())
    }
}

fn migrator() -> Migrator {
    let step = |(number, name, sql): (i64, &'static str, &'static str)| {
        let sql: SqlStr = sql.into_sql_str();
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(STEPS.into_iter().map(step).collect())
}

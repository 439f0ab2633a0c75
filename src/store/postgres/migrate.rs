//! Migrations: the schema in numbered steps. A released step is never edited.

use std::borrow::Cow;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection, SqlSafeStr, SqlStr};

use super::Postgres;
use super::session::{ANSWER_WITHIN, CONNECT_WITHIN, UNHURRIED_WITHIN, within};
use crate::store::records::city_keys;
use crate::store::{Error, sql};

/// Every step: number, name, SQL. A new step is added at the end, with a twin in the folder of every other store.
pub(super) const STEPS: [(i64, &str, &str); 7] = [
    (1, "ledger", include_str!("../../../migrations/postgres/0001_ledger.sql")),
    (2, "rooms", include_str!("../../../migrations/postgres/0002_rooms.sql")),
    (3, "forced_nights", include_str!("../../../migrations/postgres/0003_forced_nights.sql")),
    (4, "name_keys", include_str!("../../../migrations/postgres/0004_name_keys.sql")),
    (5, "shown_calendars", include_str!("../../../migrations/postgres/0005_shown_calendars.sql")),
    (6, "general_records", include_str!("../../../migrations/postgres/0006_general_records.sql")),
    (7, "members", include_str!("../../../migrations/postgres/0007_members.sql")),
];

/// The number of the last step this version knows.
pub(super) const LATEST: i64 = STEPS[STEPS.len() - 1].0;

/// Keeps positions of events growing when the cluster's transaction numbers are lower than the stored positions, as
/// after a restore. Nodes that start together take turns.
const KEEP_POSITIONS_GROWING: &str = "
    UPDATE event_positions
    SET base = stored.last - (pg_current_xact_id()::text::bigint << 12) + 1
    FROM (
        SELECT greatest((SELECT max(position) FROM events), (SELECT position FROM event_trim),
                        (SELECT max(changed) FROM hotels)) AS last
    ) AS stored
    WHERE stored.last >= base + (pg_current_xact_id()::text::bigint << 12)";

/// A step whose client has gone must not keep its locks until it ends. Servers before 14 lack this setting.
const NOTICE_WHEN_WE_ARE_GONE: &str = "
    SELECT set_config(name, '10s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";

/// How many lock time-outs to wait while another program migrates: a minute with default settings.
const TURNS: u32 = 12;
const LOCKED: &str = "another program changes the schema, or uses a table that a step changes; nothing was changed: start \
    again when it has finished";
const SILENT: &str = "the server has gone or does not answer: check that it runs and can be reached, and start again";
/// SQLSTATE of a lock time-out.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl Postgres {
    /// Brings the schema up to date. Repeating it does nothing. When several nodes call it at once, one node migrates.
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrated = async {
            let mut connection = within(CONNECT_WITHIN, self.unhurried.connect()).await?;
            within(ANSWER_WITHIN, sqlx::query(NOTICE_WHEN_WE_ARE_GONE).execute(&mut connection)).await?;
            wait_for_turn(&mut connection).await?;
            within(UNHURRIED_WITHIN, migrator().run(&mut connection)).await?;
            within(ANSWER_WITHIN, sqlx::query(KEEP_POSITIONS_GROWING).execute(&mut connection)).await?;
            Ok(connection)
        };
        let mut connection = migrated.await.map_err(why)?;
        city_keys::bring_up_to_date(self).await?;
        let done = async {
            // The next node need not wait until the server notices that this connection has gone.
            within(ANSWER_WITHIN, connection.unlock()).await?;
            within(ANSWER_WITHIN, connection.close()).await?;
            Ok(())
        };
        done.await.map_err(why)
    }
}

async fn wait_for_turn(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut turn = 1;
    loop {
        // The server's own limit is shorter.
        match within(ANSWER_WITHIN.saturating_mul(2), connection.lock()).await {
            Err(MigrateError::Execute(error)) if is_locked(&error) && turn < TURNS => turn += 1,
            waited => return waited,
        }
    }
}

/// Why the migration failed, and what to do.
fn why(error: MigrateError) -> Error {
    let cause = match &error {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => cause,
        _ => return sql::cannot_migrate(error),
    };
    let what_to_do = match cause {
        sqlx::Error::Io(_) => SILENT,
        locked if is_locked(locked) => LOCKED,
        _ => return sql::cannot_migrate(error),
    };
    Error::Unavailable(anyhow::Error::new(error).context(what_to_do))
}

fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|said| said.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}

fn migrator() -> Migrator {
    let step = |(number, name, sql): (i64, &'static str, &'static str)| {
        let sql: SqlStr = sql.into_sql_str();
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.into_iter().map(step).collect());
    // The caller holds the migration lock.
    migrator.set_locking(false);
    migrator
}

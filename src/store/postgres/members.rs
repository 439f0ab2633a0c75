//! The table of the nodes that share this database.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::Row;
use uuid::Uuid;

use super::Postgres;
use super::pool::PooledConnection;
use crate::store::sql::Columns;
use crate::store::{DatabaseId, Error, Instance, Members, Roster};

/// Microseconds after which the row of a silent node is deleted: a day.
const STALE: i64 = 24 * 60 * 60 * 1_000_000;

/// Also deletes rows of nodes that have been silent for a day.
const BEAT: &str = "
    WITH clock AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now), stale AS (
        DELETE FROM members USING clock WHERE members.at < clock.now - $3 AND members.instance <> $1
    )
    INSERT INTO members (instance, node, beat, at)
    SELECT $1, $2, 1, clock.now FROM clock
    ON CONFLICT (instance) DO UPDATE SET beat = members.beat + 1, at = excluded.at
    RETURNING beat";
/// There is no id of the database before the installation has its secret.
const READ: &str = "
    SELECT
        installation.secret,
        control.system_identifier AS system,
        database.oid::bigint AS number,
        peers.instances,
        peers.beats
    FROM installation, pg_control_system() AS control, pg_database AS database, (
        SELECT coalesce(array_agg(instance), '{}') AS instances, coalesce(array_agg(beat), '{}') AS beats
        FROM members WHERE instance = ANY($1)
    ) AS peers
    WHERE database.datname = current_database()";

/// On a connection that nothing else takes.
#[async_trait]
impl Members for Postgres {
    async fn database(&self) -> Result<DatabaseId, Error> {
        let mut lent = self.watch.lend().await?;
        let (database, _) = read(&mut lent, &[]).await?;
        lent.give_back();
        Ok(database)
    }

    async fn heartbeat(&self, me: &Instance, peers: &[Uuid]) -> Result<Roster, Error> {
        let mut lent = self.watch.lend().await?;
        let beat = sqlx::query(BEAT).bind(me.id).bind(&me.node).bind(STALE);
        let committed = match lent.one(beat).await {
            Ok(row) => Some(row.number("beat")?),
            // Read-only, full, or locked: the server answers all the same.
            Err(error @ sqlx::Error::Database(_)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the database does not take a heartbeat");
                None
            }
            Err(error) => return Err(error.into()),
        };
        let (database, beats) = read(&mut lent, peers).await?;
        lent.give_back();
        Ok(Roster { database, committed, beats })
    }
}

async fn read(lent: &mut PooledConnection, peers: &[Uuid]) -> Result<(DatabaseId, HashMap<Uuid, i64>), Error> {
    let row = lent.one(sqlx::query(READ).bind(peers)).await?;
    let database = DatabaseId::of(&row.bytes("secret")?, row.number("system")?, row.number("number")?);
    let (instances, beats): (Vec<Uuid>, Vec<i64>) = (row.try_get("instances")?, row.try_get("beats")?);
    Ok((database, instances.into_iter().zip(beats).collect()))
}

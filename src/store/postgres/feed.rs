//! The history, read and trimmed.
//!
//! A position is made of the number of its transaction (see the schema). A reader stops below the oldest running
//! transaction of the whole server: what it reads is complete, and nothing ever appears before it. Commits of a room
//! type follow each other, so the order of positions is the order of sequence numbers. The price: a writing transaction
//! that does not end, also one of another program, holds up all readers behind it.

use async_trait::async_trait;
use uuid::Uuid;

use super::Postgres;
use super::pool::PooledConnection;
use crate::domain::{RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::db::Database;
use crate::store::feed::{ChangedHotel, End, Event, Excerpt, Feed, Moment, PORTION_BYTES};
use crate::store::records::events;
use crate::store::sql::{self, Columns};

/// Positions below this one are complete.
macro_rules! complete {
    () => {
        "(SELECT base + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 12) FROM event_positions)"
    };
}

/// Bytes of a payload as it is sent. A payload that is small in the table is not converted to text for that: compressed,
/// it has at most a few kilobytes.
macro_rules! bytes {
    () => {
        "CASE WHEN pg_column_size(payload) < 200 THEN pg_column_size(payload) ELSE octet_length(payload::text) END"
    };
}

pub(super) const OF_ROOM_TYPE: &str = concat!(
    "WITH found AS MATERIALIZED (
        SELECT position, (",
    bytes!(),
    ") AS bytes FROM events WHERE room_type_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
    ), summed AS MATERIALIZED (
        SELECT position, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM found
    )
    SELECT e.position, t.hotel_id, e.room_type_id, e.sequence, e.at, e.cause, e.booking_id, e.payload
    FROM summed JOIN events AS e ON e.position = summed.position JOIN room_types AS t ON t.id = e.room_type_id
    WHERE bytes_before < $4
    ORDER BY summed.position"
);
/// Reads one event too many, to know whether there are more. It is one statement, so nothing is trimmed between reading
/// the start of the history and the events. Without events there is one row without an event.
pub(super) const OF_ALL: &str = concat!(
    "WITH found AS MATERIALIZED (
        SELECT position, (",
    bytes!(),
    ") AS bytes FROM events
        WHERE position > coalesce($1, (SELECT position FROM event_trim)) AND position < ",
    complete!(),
    " ORDER BY position LIMIT $2 + 1
    ), summed AS MATERIALIZED (
        SELECT position, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM found
    )
    SELECT trim.position AS trimmed, (SELECT count(*) FROM found) AS found, e.*
    FROM event_trim AS trim LEFT JOIN LATERAL (
        SELECT e.position, t.hotel_id, e.room_type_id, e.sequence, e.at, e.cause, e.booking_id, e.payload
        FROM summed JOIN events AS e ON e.position = summed.position
            LEFT JOIN room_types AS t ON t.id = e.room_type_id
        WHERE bytes_before < $3
        ORDER BY summed.position LIMIT $2
    ) AS e ON true
    ORDER BY e.position"
);
pub(super) const CHANGED_HOTELS: &str = concat!(
    "SELECT changed, id FROM hotels WHERE changed > $1 AND changed < ",
    complete!(),
    " ORDER BY changed LIMIT $2"
);
pub(super) const END: &str =
    concat!("SELECT complete - 1 AS event, complete - 1 AS hotel FROM ", complete!(), " AS ends (complete)");
/// Trims run one at a time: the second one continues where the first one ended.
pub(super) const TURN: &str = "SELECT position FROM event_trim FOR UPDATE";
pub(super) const OLDEST: &str = concat!(
    "SELECT position, room_type_id, sequence, at FROM events
    WHERE position > (SELECT position FROM event_trim) AND position < ",
    complete!(),
    " ORDER BY position LIMIT $1"
);
/// $1, $2: how far each room type's history is deleted, except its last event. $3: the last position looked at, up to which
/// facts of a hotel or of the installation are deleted.
pub(super) const TRIM: &str = "
    WITH wider AS (
        DELETE FROM events
        WHERE position > (SELECT position FROM event_trim) AND position <= $3 AND room_type_id IS NULL
    )
    DELETE FROM events
    USING unnest($1::uuid[], $2::bigint[]) AS due (room_type_id, sequence), room_types AS t
    WHERE t.id = due.room_type_id AND events.room_type_id = t.id
        AND events.sequence <= least(due.sequence, t.sequence - 1)";
pub(super) const TRIMMED_TO: &str = "UPDATE event_trim SET position = $1";

#[async_trait]
impl Feed for Postgres {
    async fn events_of(&self, room_type: RoomTypeId, after: u64, limit: u32) -> Result<Vec<Event>, Error> {
        let query = sqlx::query(OF_ROOM_TYPE).bind(room_type.0).bind(number(after)).bind(i64::from(limit));
        let query = query.bind(i64::from(PORTION_BYTES));
        self.pool.all(query).await?.iter().map(sql::event).collect()
    }

    async fn moment(&self, room_type: RoomTypeId, sequence: u64) -> Result<Option<Moment>, Error> {
        events::moment(&mut self.reader().await?, room_type, sequence).await
    }

    async fn events(&self, after: Option<u64>, limit: u32) -> Result<Option<Excerpt>, Error> {
        let query = sqlx::query(OF_ALL).bind(after.map(number)).bind(i64::from(limit)).bind(i64::from(PORTION_BYTES));
        let rows = self.pool.all(query).await?;
        let trimmed: u64 = rows.first().map_or(Ok(0), |row| row.number("trimmed"))?;
        if after.is_some_and(|after| after < trimmed) {
            return Ok(None);
        }
        sql::excerpt(rows.iter().filter(|row| !matches!(row.integer_opt("position"), Ok(None)))).map(Some)
    }

    async fn changed_hotels(&self, after: u64, limit: u32) -> Result<Vec<ChangedHotel>, Error> {
        let query = sqlx::query(CHANGED_HOTELS).bind(number(after)).bind(i64::from(limit));
        self.pool.all(query).await?.iter().map(sql::changed_hotel).collect()
    }

    async fn end(&self) -> Result<End, Error> {
        sql::end(&self.pool.one(sqlx::query(END)).await?)
    }

    async fn trim_events(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        let mut writing = self.pool.begin("BEGIN").await?;
        let looked_at = trim(&mut writing, before, limit).await?;
        writing.end().await?;
        Ok(looked_at)
    }
}

async fn trim(writing: &mut PooledConnection, before: Timestamp, limit: u32) -> Result<u64, Error> {
    writing.one(sqlx::query(TURN)).await?;
    let oldest = writing.all(sqlx::query(OLDEST).bind(i64::from(limit))).await?;
    let due = sql::due(&oldest, before)?;
    if due.looked_at > 0 {
        let (room_types, sequences): (Vec<Uuid>, Vec<i64>) = due.until.iter().map(|(id, last)| (id.0, *last)).unzip();
        writing.execute(sqlx::query(TRIM).bind(room_types).bind(sequences).bind(due.position)).await?;
        writing.execute(sqlx::query(TRIMMED_TO).bind(due.position)).await?;
    }
    Ok(due.looked_at)
}

/// Numbers beyond the range of PostgreSQL come after everything.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

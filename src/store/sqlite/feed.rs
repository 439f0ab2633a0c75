//! The history, read and trimmed.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::Sqlite;
use crate::domain::{RoomTypeId, Timestamp};
use crate::store::Error;
use crate::store::db::Database;
use crate::store::feed::{ChangedHotel, End, Event, Excerpt, Feed, Moment, PORTION_BYTES};
use crate::store::records::events;
use crate::store::sql::{self, Columns};

/// `octet_length` reads the size of a payload from the row's header, without reading the payload.
pub(super) const OF_ROOM_TYPE: &str = "
    WITH found AS MATERIALIZED (
        SELECT position, octet_length(payload) AS bytes FROM events
        WHERE room_type_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
    ), summed AS MATERIALIZED (
        SELECT position, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM found
    )
    SELECT e.position, t.hotel_id, e.room_type_id, e.sequence, e.at, e.cause, e.booking_id, e.payload
    FROM summed CROSS JOIN events AS e ON e.position = summed.position
        CROSS JOIN room_types AS t ON t.id = e.room_type_id
    WHERE bytes_before < $4
    ORDER BY summed.position";
pub(super) const TRIMMED: &str = "SELECT position FROM event_trim";
/// Reads one event too many, to know whether there are more.
pub(super) const OF_ALL: &str = "
    WITH found AS MATERIALIZED (
        SELECT position, octet_length(payload) AS bytes FROM events
        WHERE position > $1 ORDER BY position LIMIT $2 + 1
    ), summed AS MATERIALIZED (
        SELECT position, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM found
    )
    SELECT e.position, t.hotel_id, e.room_type_id, e.sequence, e.at, e.cause, e.booking_id, e.payload,
           (SELECT count(*) FROM found) AS found
    FROM summed CROSS JOIN events AS e ON e.position = summed.position
        LEFT JOIN room_types AS t ON t.id = e.room_type_id
    WHERE bytes_before < $3
    ORDER BY summed.position LIMIT $2";
pub(super) const CHANGED_HOTELS: &str = "
    SELECT changed, id FROM hotels WHERE changed > $1 ORDER BY changed LIMIT $2";
pub(super) const END: &str = "
    SELECT max((SELECT coalesce(max(position), 0) FROM events), (SELECT position FROM event_trim)) AS event,
           (SELECT coalesce(max(changed), 0) FROM hotels) AS hotel";
/// The last event of all is never due: SQLite gives the next event the number after the highest, and a position must not be
/// given twice.
pub(super) const OLDEST: &str = "
    SELECT position, room_type_id, sequence, at FROM events
    WHERE position > (SELECT position FROM event_trim)
        AND (room_type_id IS NOT NULL OR position < (SELECT max(position) FROM events))
    ORDER BY position LIMIT $1";
/// $1: how far each room type's history is deleted, except its last event. $2: the last position looked at, up to which
/// facts of a hotel or of the installation are deleted.
pub(super) const TRIM: &str = "
    DELETE FROM events
    WHERE position > (SELECT position FROM event_trim) AND position <= $2 AND room_type_id IS NULL;
    DELETE FROM events WHERE position IN (
        SELECT e.position
        FROM json_each($1) AS due
        CROSS JOIN room_types AS t ON t.id = due.key
        CROSS JOIN events AS e ON e.room_type_id = t.id AND e.sequence <= min(due.value, t.sequence - 1)
    );
    UPDATE event_trim SET position = $2;";

#[async_trait]
impl Feed for Sqlite {
    async fn events_of(&self, room_type: RoomTypeId, after: u64, limit: u32) -> Result<Vec<Event>, Error> {
        let query = sqlx::query(OF_ROOM_TYPE).bind(room_type.to_string()).bind(number(after)).bind(i64::from(limit));
        let query = query.bind(i64::from(PORTION_BYTES));
        query.fetch_all(&self.readers).await?.iter().map(sql::event).collect()
    }

    async fn moment(&self, room_type: RoomTypeId, sequence: u64) -> Result<Option<Moment>, Error> {
        events::moment(&mut self.reader().await?, room_type, sequence).await
    }

    async fn events(&self, after: Option<u64>, limit: u32) -> Result<Option<Excerpt>, Error> {
        let mut reading = self.readers.begin().await?;
        let trimmed: u64 = sqlx::query(TRIMMED).fetch_one(&mut *reading).await?.number("position")?;
        let after = after.unwrap_or(trimmed);
        if after < trimmed {
            return Ok(None);
        }
        let query = sqlx::query(OF_ALL).bind(number(after)).bind(i64::from(limit)).bind(i64::from(PORTION_BYTES));
        let rows = query.fetch_all(&mut *reading).await?;
        reading.commit().await?;
        sql::excerpt(rows.iter()).map(Some)
    }

    async fn changed_hotels(&self, after: u64, limit: u32) -> Result<Vec<ChangedHotel>, Error> {
        let query = sqlx::query(CHANGED_HOTELS).bind(number(after)).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(sql::changed_hotel).collect()
    }

    async fn end(&self) -> Result<End, Error> {
        sql::end(&sqlx::query(END).fetch_one(&self.readers).await?)
    }

    async fn trim_events(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        let mut turn = self.writer.turn().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut turn.connection).await?;
        let looked_at = trim(&mut turn.connection, before, limit).await?;
        sqlx::query("COMMIT").execute(&mut turn.connection).await?;
        turn.give_back()?;
        Ok(looked_at)
    }
}

async fn trim(writing: &mut SqliteConnection, before: Timestamp, limit: u32) -> Result<u64, Error> {
    let oldest = sqlx::query(OLDEST).bind(i64::from(limit)).fetch_all(&mut *writing).await?;
    let due = sql::due(&oldest, before)?;
    if due.looked_at > 0 {
        let until = serde_json::to_string(&due.until).map_err(|error| Error::Corrupt(error.into()))?;
        sqlx::query(TRIM).bind(until).bind(due.position).execute(&mut *writing).await?;
    }
    Ok(due.looked_at)
}

/// Numbers beyond the range of SQLite come after everything.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

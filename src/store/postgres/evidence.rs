//! What `verify` recounts, read in one snapshot: right while the system runs.

use sqlx::postgres::PgRow;

use super::Postgres;
use super::pool::PooledConnection;
use crate::domain::RoomTypeId;
use crate::store::Error;
use crate::store::audit::{Evidence, StrayIdempotencyRecord};
use crate::store::sql;

pub(super) const SEQUENCE: &str = "
    SELECT t.sequence, e.first, e.last, e.count, trim.position AS trimmed
    FROM room_types AS t, event_trim AS trim, (
        SELECT min(sequence) AS first, max(sequence) AS last, count(*) AS count FROM events WHERE room_type_id = $1
    ) AS e
    WHERE t.id = $1";
pub(super) const NIGHTS: &str = "
    SELECT n.date, n.capacity, n.sold, n.held, n.forced, n.out_of_order,
           coalesce(n.physical, t.rooms) AS physical, coalesce(n.allowance, t.overbooking_allowance) AS allowance
    FROM nights AS n JOIN room_types AS t ON t.id = n.room_type_id
    WHERE n.room_type_id = $1
    ORDER BY n.date";
pub(super) const BOOKINGS: &str = "
    SELECT status, expires_at, departed, fee_minor, check_in, check_out, rooms FROM bookings WHERE room_type_id = $1";
pub(super) const BOOKINGS_WITHOUT_EVENT: &str = "
    SELECT b.id::text FROM bookings AS b
    LEFT JOIN events AS e ON e.room_type_id = b.room_type_id AND e.sequence = b.sequence AND e.booking_id = b.id
    WHERE b.room_type_id = $1 AND e.sequence IS NULL
        AND b.sequence >= (SELECT min(sequence) FROM events WHERE room_type_id = $1)
    ORDER BY b.id";
/// All of them at once: an index by room type would have to be kept up by every commit, for this question alone.
const STRAY_ATTEMPTS: &str = "
    SELECT encode(a.key, 'hex') AS key, a.room_type_id::text, a.booking_id::text, b.room_type_id::text AS found_in
    FROM attempts AS a LEFT JOIN bookings AS b ON b.id = a.booking_id
    WHERE b.room_type_id IS DISTINCT FROM a.room_type_id
    LIMIT $1";

/// The time that [`PooledConnection::all_in_time`] gives it.
const WHOLE_TABLES: &str =
    "SET LOCAL statement_timeout = '1h'; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on";

impl Postgres {
    pub(super) async fn gather_evidence(&self, room_type: RoomTypeId) -> Result<Evidence, Error> {
        let mut reading = self.pool.snapshot().await?;
        let rows = all(&mut reading, SEQUENCE, room_type).await?;
        let mut evidence = rows.first().map(sql::sequences).transpose()?.unwrap_or_default();
        evidence.nights = each(all(&mut reading, NIGHTS, room_type).await?, sql::night_row)?;
        let footprints = each(all(&mut reading, BOOKINGS, room_type).await?, sql::footprint)?;
        evidence.footprints = footprints.into_iter().flatten().collect();
        let lost = all(&mut reading, BOOKINGS_WITHOUT_EVENT, room_type).await?;
        evidence.bookings_without_event = each(lost, sql::booking_id)?;
        reading.end().await?;
        Ok(evidence)
    }

    /// It reads every record there is, and has the time for it.
    pub(super) async fn find_stray_idempotency_records(
        &self,
        limit: u32,
    ) -> Result<Vec<StrayIdempotencyRecord>, Error> {
        let mut reading = self.pool.snapshot().await?;
        reading.say(WHOLE_TABLES).await?;
        let rows = reading.all_in_time(sqlx::query(STRAY_ATTEMPTS).bind(i64::from(limit))).await?;
        reading.end().await?;
        each(rows, sql::stray_idempotency_record)
    }
}

async fn all(reading: &mut PooledConnection, query: &'static str, room_type: RoomTypeId) -> Result<Vec<PgRow>, Error> {
    Ok(reading.all(sqlx::query(query).bind(room_type.0)).await?)
}

fn each<T>(rows: Vec<PgRow>, read: fn(&PgRow) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    rows.iter().map(read).collect()
}

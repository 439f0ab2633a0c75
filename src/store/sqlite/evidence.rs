//! What `verify` recounts, read in one transaction: right while the system runs.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
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
    SELECT b.id FROM bookings AS b
    LEFT JOIN events AS e ON e.room_type_id = b.room_type_id AND e.sequence = b.sequence AND e.booking_id = b.id
    WHERE b.room_type_id = $1 AND e.sequence IS NULL
        AND b.sequence >= (SELECT min(sequence) FROM events WHERE room_type_id = $1)
    ORDER BY b.id";
/// All of them at once: an index by room type would have to be kept up by every commit, for this question alone.
const STRAY_ATTEMPTS: &str = "
    SELECT lower(hex(a.key)) AS key, a.room_type_id, a.booking_id, b.room_type_id AS found_in
    FROM attempts AS a LEFT JOIN bookings AS b ON b.id = a.booking_id
    WHERE b.room_type_id IS NOT a.room_type_id
    LIMIT $1";

impl Sqlite {
    pub(super) async fn gather_evidence(&self, room_type: RoomTypeId) -> Result<Evidence, Error> {
        let mut reading = self.readers.begin().await?;
        let id = room_type.to_string();
        let rows = all(&mut reading, SEQUENCE, &id).await?;
        let mut evidence = rows.first().map(sql::sequences).transpose()?.unwrap_or_default();
        evidence.nights = each(all(&mut reading, NIGHTS, &id).await?, sql::night_row)?;
        evidence.footprints =
            each(all(&mut reading, BOOKINGS, &id).await?, sql::footprint)?.into_iter().flatten().collect();
        evidence.bookings_without_event = each(all(&mut reading, BOOKINGS_WITHOUT_EVENT, &id).await?, sql::booking_id)?;
        reading.commit().await?;
        Ok(evidence)
    }

    pub(super) async fn find_stray_idempotency_records(
        &self,
        limit: u32,
    ) -> Result<Vec<StrayIdempotencyRecord>, Error> {
        let rows = sqlx::query(STRAY_ATTEMPTS).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        each(rows, sql::stray_idempotency_record)
    }
}

async fn all(reading: &mut SqliteConnection, query: &'static str, id: &str) -> Result<Vec<SqliteRow>, Error> {
    Ok(sqlx::query(query).bind(id).fetch_all(reading).await?)
}

fn each<T>(rows: Vec<SqliteRow>, read: fn(&SqliteRow) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    rows.iter().map(read).collect()
}

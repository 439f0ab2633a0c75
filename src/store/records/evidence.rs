//! What `verify` recounts, read from one snapshot: it is right while the system runs.

use crate::domain::{JobKind, RoomTypeId};
use crate::store::audit::{Evidence, StrayIdempotencyRecord, StrayJob};
use crate::store::db::{Connection, Dialect, Statement};
use crate::store::{Error, sql};

pub const SEQUENCE: &str = "
    SELECT t.sequence, e.first, e.last, e.count, trim.position AS trimmed
    FROM room_types AS t, event_trim AS trim, (
        SELECT min(sequence) AS first, max(sequence) AS last, count(*) AS count FROM events WHERE room_type_id = $1
    ) AS e
    WHERE t.id = $1";
pub const NIGHTS: &str = "
    SELECT n.date, n.capacity, n.sold, n.held, n.forced, n.out_of_order,
           coalesce(n.physical, t.rooms) AS physical, coalesce(n.allowance, t.overbooking_allowance) AS allowance
    FROM nights AS n JOIN room_types AS t ON t.id = n.room_type_id
    WHERE n.room_type_id = $1
    ORDER BY n.date";
pub const BOOKINGS: &str = "
    SELECT status, expires_at, departed, fee_minor, check_in, check_out, rooms FROM bookings WHERE room_type_id = $1";
/// An id is read as text, so that one that is no UUID is reported as well.
pub const BOOKINGS_WITHOUT_EVENT: &str = "
    SELECT CAST(b.id AS text) AS id FROM bookings AS b
    LEFT JOIN events AS e ON e.room_type_id = b.room_type_id AND e.sequence = b.sequence AND e.booking_id = b.id
    WHERE b.room_type_id = $1 AND e.sequence IS NULL
        AND b.sequence >= (SELECT min(sequence) FROM events WHERE room_type_id = $1)
    ORDER BY b.id";
/// Reads the whole table: an index of what an answer is about would cost every commit, and serve this statement alone.
/// Answers of an unknown kind are not checked.
fn stray_idempotency_records_text(dialect: &Dialect) -> String {
    format!(
        "WITH answered AS (
             SELECT key, kind, {object} AS object, CASE kind WHEN 'booking' THEN {room_type} END AS room_type_id
             FROM idempotency_records
         )
         SELECT a.key, a.kind, a.object, a.room_type_id, CAST(b.room_type_id AS text) AS found_in
         FROM answered AS a LEFT JOIN bookings AS b ON a.kind = 'booking' AND b.id = {id}
         WHERE CASE a.kind
             WHEN 'booking' THEN CAST(b.room_type_id AS text) IS DISTINCT FROM a.room_type_id OR b.id IS NULL
             WHEN 'hotel' THEN NOT EXISTS (SELECT 1 FROM hotels WHERE id = {id})
             WHEN 'room_type' THEN NOT EXISTS (SELECT 1 FROM room_types WHERE id = {id})
             WHEN 'rate_plan' THEN NOT EXISTS (SELECT 1 FROM rate_plans WHERE id = {id})
             WHEN 'service' THEN NOT EXISTS (SELECT 1 FROM services WHERE id = {id})
             ELSE false
         END
         LIMIT $1",
        object = dialect.member("answer", "id"),
        room_type = dialect.member("answer", "room_type_id"),
        id = dialect.id("a.object"),
    )
}

/// Reads the whole table. Jobs of a kind that is not about a booking are not checked.
fn stray_jobs_text(dialect: &Dialect) -> String {
    let kinds = JobKind::ALL.map(|kind| format!("'{}'", kind.name())).join(", ");
    format!(
        "WITH named AS (
             SELECT id, kind, tenant, {booking} AS booking_id FROM jobs WHERE kind IN ({kinds})
         )
         SELECT j.id, j.kind, CAST(j.tenant AS text) AS tenant, j.booking_id, CAST(b.hotel_id AS text) AS found_in
         FROM named AS j LEFT JOIN bookings AS b ON b.id = {id}
         WHERE b.hotel_id IS DISTINCT FROM j.tenant OR b.id IS NULL
         LIMIT $1",
        booking = dialect.member("payload", "booking_id"),
        id = dialect.id("j.booking_id"),
    )
}

/// Everything stored about a room type that can be counted twice.
pub async fn of_room_type(reading: &mut Connection<'_>, room_type: RoomTypeId) -> Result<Evidence, Error> {
    let about = |text: &'static str| Statement::new(text).bind(room_type.0);
    let mut evidence = reading.find(about(SEQUENCE), sql::sequences).await?.unwrap_or_default();
    evidence.nights = reading.list(about(NIGHTS), sql::night_row).await?;
    let footprints = reading.list(about(BOOKINGS), sql::footprint).await?;
    evidence.footprints = footprints.into_iter().flatten().collect();
    evidence.bookings_without_event = reading.list(about(BOOKINGS_WITHOUT_EVENT), sql::booking_id).await?;
    Ok(evidence)
}

/// Idempotency records whose answer is about an object that does not exist.
pub async fn stray_idempotency_records(
    reading: &mut Connection<'_>,
    limit: u32,
) -> Result<Vec<StrayIdempotencyRecord>, Error> {
    let text = stray_idempotency_records_text(reading.dialect());
    reading.list(Statement::new(text).bind(limit), sql::stray_idempotency_record).await
}

/// Jobs about a booking that does not exist, or that belongs to another tenant.
pub async fn stray_jobs(reading: &mut Connection<'_>, limit: u32) -> Result<Vec<StrayJob>, Error> {
    let text = stray_jobs_text(reading.dialect());
    reading.list(Statement::new(text).bind(limit), sql::stray_job).await
}

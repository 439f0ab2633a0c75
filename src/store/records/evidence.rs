//! What `verify` recounts, read from one snapshot: it is right while the system runs.

use crate::domain::RoomTypeId;
use crate::store::audit::{Evidence, StrayIdempotencyRecord};
use crate::store::db::{Connection, Statement};
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
/// Reads the whole table: an index by room type would cost every commit, and serve this statement alone.
const STRAY_IDEMPOTENCY_RECORDS: &str = "
    SELECT a.key, CAST(a.room_type_id AS text) AS room_type_id, CAST(a.booking_id AS text) AS booking_id,
           CAST(b.room_type_id AS text) AS found_in
    FROM attempts AS a LEFT JOIN bookings AS b ON b.id = a.booking_id
    WHERE b.room_type_id IS DISTINCT FROM a.room_type_id
    LIMIT $1";

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

/// Idempotency records that do not belong to what they answer with.
pub async fn stray_idempotency_records(
    reading: &mut Connection<'_>,
    limit: u32,
) -> Result<Vec<StrayIdempotencyRecord>, Error> {
    reading.list(Statement::new(STRAY_IDEMPOTENCY_RECORDS).bind(limit), sql::stray_idempotency_record).await
}

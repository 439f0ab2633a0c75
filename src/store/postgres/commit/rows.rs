//! Writes the rows of bookings: one statement for all tables, one array per column.

use jiff_sqlx::ToSqlx;
use sqlx::Row;
use sqlx::types::Json;

use super::super::pool::{PgQuery, PooledConnection};
use crate::store::sql::{
    self, BatchState, BookingRow, Counted, EventRow, GuestRow, IdempotencyRow, JobRow, Progress, Rows, ServiceRow,
};

pub(in super::super) const WRITE: &str = include_str!("write.sql");
/// Deletes guests and services that are replaced.
pub(in super::super) const FREE: &str = "
    WITH alone AS (DELETE FROM booking_guests WHERE booking_id = ANY($1))
    DELETE FROM booking_services WHERE booking_id = ANY($1)";
/// Deletes expired idempotency records whose keys are used again, unless another commit has used them meanwhile.
pub(in super::super) const FORGET: &str = "
    DELETE FROM idempotency_records WHERE key = ANY($1) AND expires_at = ($2::bigint[])[array_position($1, key)]";

/// Deletes the guests and services of bookings that get others, and the expired records of keys that are used again.
pub(super) async fn make_room(
    turn: &mut PooledConnection,
    known: &BatchState,
    rows: &Rows<'_>,
) -> Result<(), sqlx::Error> {
    if !rows.repeopled.is_empty() {
        turn.execute(sqlx::query(FREE).bind(column(&rows.repeopled, |booking| booking.0))).await?;
    }
    let reused = known.reused(&rows.idempotency);
    if !reused.is_empty() {
        let query = sqlx::query(FORGET).bind(column(&reused, |(key, _)| key.0.as_slice()));
        turn.execute(query.bind(column(&reused, |(_, expires_at)| expires_at.as_microsecond()))).await?;
    }
    Ok(())
}

/// Writes everything else. `false`: the room types are not as the batch was decided on, and nothing was written.
pub(super) async fn write(turn: &mut PooledConnection, rows: &Rows<'_>, place: usize) -> Result<bool, sqlx::Error> {
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    let (new, changed): (Vec<_>, Vec<_>) = rows.bookings.iter().partition(|booking| booking.is_new);
    let mut query = room_types(sqlx::query(WRITE), &rows.progress);
    query = counted(query, &rows.counted);
    query = bookings(bookings(query, &new), &changed);
    query = guests(query, &rows.guests);
    query = services(query, &rows.services);
    query = events(query.bind(place), &rows.events);
    query = idempotency(query, &rows.idempotency)?;
    turn.one(jobs(query, &rows.jobs)).await?.try_get("granted")
}

/// The column of all rows.
fn column<'r, T, C>(rows: &'r [T], value: impl Fn(&'r T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

/// A count as PostgreSQL's type. It always fits: a room type would need centuries at a million facts a second.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn room_types<'q>(query: PgQuery<'q>, rows: &'q [Progress]) -> PgQuery<'q> {
    query
        .bind(column(rows, |last| last.room_type_id.0))
        .bind(column(rows, |last| last.token.0))
        .bind(column(rows, |last| number(last.before)))
        .bind(column(rows, |last| number(last.sequence)))
}

fn counted<'q>(query: PgQuery<'q>, rows: &'q [Counted]) -> PgQuery<'q> {
    query
        .bind(column(rows, |night| night.room_type_id.0))
        .bind(column(rows, |night| night.date.to_sqlx()))
        .bind(column(rows, |night| night.sold))
        .bind(column(rows, |night| night.held))
}

fn bookings<'q>(query: PgQuery<'q>, rows: &[&BookingRow<'q>]) -> PgQuery<'q> {
    query
        .bind(column(rows, |booking| booking.id.0))
        .bind(column(rows, |booking| booking.hotel_id.0))
        .bind(column(rows, |booking| booking.room_type_id.0))
        .bind(column(rows, |booking| booking.rate_plan_id.0))
        .bind(column(rows, |booking| booking.status))
        .bind(column(rows, |booking| booking.expires_at))
        .bind(column(rows, |booking| booking.departed.map(ToSqlx::to_sqlx)))
        .bind(column(rows, |booking| booking.fee_minor.map(|fee| fee.minor())))
        .bind(column(rows, |booking| booking.check_in.to_sqlx()))
        .bind(column(rows, |booking| booking.check_out.to_sqlx()))
        .bind(column(rows, |booking| i32::from(booking.rooms)))
        .bind(column(rows, |booking| Json(booking.prices)))
        .bind(column(rows, |booking| booking.mobile))
        .bind(column(rows, |booking| booking.email))
        .bind(column(rows, |booking| booking.external_reference))
        .bind(column(rows, |booking| Json(booking.policy)))
        .bind(column(rows, |booking| booking.currency))
        .bind(column(rows, |booking| booking.created_at))
        .bind(column(rows, |booking| booking.changed_at))
        .bind(column(rows, |booking| number(booking.sequence)))
}

fn guests<'q>(query: PgQuery<'q>, rows: &'q [GuestRow<'q>]) -> PgQuery<'q> {
    query
        .bind(column(rows, |guest| guest.booking_id.0))
        .bind(column(rows, |guest| guest.position))
        .bind(column(rows, |guest| guest.name))
        .bind(column(rows, |guest| i16::from(guest.age)))
}

fn services<'q>(query: PgQuery<'q>, rows: &'q [ServiceRow<'q>]) -> PgQuery<'q> {
    query
        .bind(column(rows, |row| row.booking_id.0))
        .bind(column(rows, |row| row.position))
        .bind(column(rows, |row| row.service.service_id.0))
        .bind(column(rows, |row| row.service.name.as_str()))
        .bind(column(rows, |row| sql::basis_name(row.service.basis)))
        .bind(column(rows, |row| row.service.unit_price.minor()))
        .bind(column(rows, |row| i32::from(row.service.quantity)))
        .bind(column(rows, |row| row.service.amount.minor()))
}

fn events<'q>(query: PgQuery<'q>, rows: &'q [EventRow<'q>]) -> PgQuery<'q> {
    query
        .bind(column(rows, |event| event.room_type_id.0))
        .bind(column(rows, |event| number(event.sequence)))
        .bind(column(rows, |event| event.fact_id.0))
        .bind(column(rows, |event| event.at))
        .bind(column(rows, |event| event.cause))
        .bind(column(rows, |event| event.booking_id.map(|booking| booking.0)))
        .bind(column(rows, |event| Json(&event.payload)))
}

fn idempotency<'q>(query: PgQuery<'q>, rows: &'q [IdempotencyRow<'q>]) -> Result<PgQuery<'q>, sqlx::Error> {
    let answers: Result<Vec<String>, _> = rows.iter().map(|record| serde_json::to_string(record.answer)).collect();
    Ok(query
        .bind(column(rows, |record| record.key.as_slice()))
        .bind(column(rows, |record| record.fingerprint.as_slice()))
        .bind(column(rows, |record| record.kind))
        .bind(answers.map_err(|error| sqlx::Error::Encode(error.into()))?)
        .bind(column(rows, |record| record.expires_at)))
}

fn jobs<'q>(query: PgQuery<'q>, rows: &'q [JobRow]) -> PgQuery<'q> {
    query
        .bind(column(rows, |job| job.kind))
        .bind(column(rows, |job| job.tenant.map(|hotel| hotel.0)))
        .bind(column(rows, |job| Json(job.payload)))
        .bind(column(rows, |job| job.priority))
        .bind(column(rows, |job| job.max_attempts))
        .bind(column(rows, |job| job.dedup_key.as_str()))
        .bind(column(rows, |job| job.at))
}

//! The rows of a booking, inserted without any check: a statement per table, an array per column.

use innkeeper::domain::{Booking, Change};
use innkeeper::store::CommitEntry;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;

/// The positions of events that plain SQL writes.
const NEXT_POSITION: &str = "nextval('bench_positions')";

/// Creates what the rows need beyond the schema.
pub async fn prepare(connection: &mut PgConnection) {
    sqlx::query("CREATE SEQUENCE bench_positions CACHE 256").execute(connection).await.unwrap();
}

/// Inserts a batch of bookings in one transaction without checks: the upper bound of plain SQL.
pub async fn insert_batch(connection: &mut PgConnection, batch: &[CommitEntry]) {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    insert(connection, batch).await;
    let nights: Vec<_> = batch
        .iter()
        .flat_map(|entry| {
            let stay = entry.fact.change.booking().unwrap().stay;
            stay.dates().map(|date| (entry.room_type, date))
        })
        .collect();
    let count = "
        INSERT INTO nights (room_type_id, date, capacity, sold)
        SELECT room_type_id, date, 50000, count(*) FROM unnest($1::uuid[], $2::date[]) AS new (room_type_id, date)
        GROUP BY room_type_id, date ORDER BY room_type_id, date
        ON CONFLICT (room_type_id, date) DO UPDATE SET sold = nights.sold + excluded.sold";
    let count = sqlx::query(count)
        .bind(nights.iter().map(|(room_type, _)| room_type.0).collect::<Vec<_>>())
        .bind(nights.iter().map(|(_, date)| date.to_sqlx()).collect::<Vec<_>>());
    count.execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
}

/// Inserts all rows of bookings except their nights.
pub async fn insert(connection: &mut PgConnection, batch: &[CommitEntry]) {
    insert_bookings(connection, batch).await;
    insert_events(connection, batch).await;
    if batch.iter().any(|entry| entry.record.is_some()) {
        insert_records(connection, batch).await;
    }
    if batch.iter().any(|entry| !entry.jobs.is_empty()) {
        insert_jobs(connection, batch).await;
    }
}

fn column<T, C>(rows: &[T], value: impl Fn(&T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

async fn insert_bookings(connection: &mut PgConnection, batch: &[CommitEntry]) {
    let bookings: Vec<&Booking> = batch.iter().filter_map(|entry| entry.fact.change.booking()).map(|b| &**b).collect();
    let insert = "
        INSERT INTO bookings (id, hotel_id, room_type_id, rate_plan_id, status, check_in, check_out, rooms, prices,
                              mobile, policy, currency, created_at, changed_at, sequence)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::date[], $7::date[],
                             $8::integer[], $9::jsonb[], $10::text[], $11::jsonb[], $12::text[], $13::bigint[],
                             $14::bigint[], $15::bigint[])";
    let insert = sqlx::query(insert)
        .bind(column(&bookings, |b| b.id.0))
        .bind(column(&bookings, |b| b.hotel_id.0))
        .bind(column(&bookings, |b| b.room_type_id.0))
        .bind(column(&bookings, |b| b.rate_plan_id.0))
        .bind(column(&bookings, |b| b.status.name()))
        .bind(column(&bookings, |b| b.stay.check_in().to_sqlx()))
        .bind(column(&bookings, |b| b.stay.check_out().to_sqlx()))
        .bind(column(&bookings, |b| i32::from(b.rooms)))
        .bind(column(&bookings, |b| Json(b.prices.clone())))
        .bind(column(&bookings, |b| b.contact.mobile.as_str().to_owned()))
        .bind(column(&bookings, |b| Json(b.policy.clone())))
        .bind(column(&bookings, |b| b.currency.code()))
        .bind(column(&bookings, |b| b.created_at.as_microsecond()))
        .bind(column(&bookings, |b| b.changed_at.as_microsecond()))
        .bind(column(&bookings, |b| i64::try_from(b.sequence).unwrap()));
    insert.execute(&mut *connection).await.unwrap();

    let guests: Vec<_> =
        bookings.iter().flat_map(|b| b.guests.iter().zip(0_i32..).map(|(guest, n)| (b.id, n, guest.clone()))).collect();
    let insert = "
        INSERT INTO booking_guests (booking_id, position, name, age)
        SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::smallint[])";
    let insert = sqlx::query(insert)
        .bind(column(&guests, |(id, ..)| id.0))
        .bind(column(&guests, |(_, n, _)| *n))
        .bind(column(&guests, |(.., guest)| guest.name.clone()))
        .bind(column(&guests, |(.., guest)| i16::from(guest.age)));
    insert.execute(&mut *connection).await.unwrap();
}

async fn insert_events(connection: &mut PgConnection, batch: &[CommitEntry]) {
    let insert = format!(
        "INSERT INTO events (position, room_type_id, sequence, fact_id, at, cause, booking_id, payload)
         SELECT {NEXT_POSITION}, * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[],
                                               $6::uuid[], $7::jsonb[])"
    );
    let deltas = |entry: &CommitEntry| match &entry.fact.change {
        Change::Booking { deltas, .. } => Json(deltas.clone()),
        _ => unreachable!("the bench writes bookings only"),
    };
    let insert = sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(column(batch, |entry| entry.room_type.0))
        .bind(column(batch, |entry| i64::try_from(entry.fact.sequence).unwrap()))
        .bind(column(batch, |entry| entry.fact.id.0))
        .bind(column(batch, |entry| entry.fact.at.as_microsecond()))
        .bind(column(batch, |entry| entry.fact.change.cause()))
        .bind(column(batch, |entry| entry.fact.change.booking().map(|booking| booking.id.0)))
        .bind(column(batch, deltas));
    insert.execute(&mut *connection).await.unwrap();
}

async fn insert_records(connection: &mut PgConnection, batch: &[CommitEntry]) {
    let records: Vec<_> = batch.iter().filter_map(|entry| entry.record.as_ref()).collect();
    let insert = "
        INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[]::json[], $5::bigint[])";
    let insert = sqlx::query(insert)
        .bind(column(&records, |(key, _)| key.0.to_vec()))
        .bind(column(&records, |(_, record)| record.fingerprint.0.to_vec()))
        .bind(column(&records, |(_, record)| record.answer.kind().to_owned()))
        .bind(column(&records, |(_, record)| serde_json::to_string(&record.answer).unwrap()))
        .bind(column(&records, |(_, record)| record.expires_at.as_microsecond()));
    insert.execute(&mut *connection).await.unwrap();
}

async fn insert_jobs(connection: &mut PgConnection, batch: &[CommitEntry]) {
    let jobs: Vec<_> = batch.iter().flat_map(|entry| entry.jobs.iter().map(|job| (entry.fact.at, job))).collect();
    let insert = "
        INSERT INTO jobs (kind, tenant, payload, priority, max_attempts, dedup_key, once, next_at, created_at)
        SELECT new.*, true, $7, $7
        FROM unnest($1::text[], $2::uuid[], $3::jsonb[], $4::smallint[], $5::integer[], $6::text[]) AS new";
    let insert = sqlx::query(insert)
        .bind(column(&jobs, |(_, job)| job.kind.name()))
        .bind(column(&jobs, |(_, job)| job.tenant.map(|hotel| hotel.0)))
        .bind(column(&jobs, |(_, job)| Json(job.payload)))
        .bind(column(&jobs, |(_, job)| job.kind.priority()))
        .bind(column(&jobs, |(_, job)| job.kind.max_attempts()))
        .bind(column(&jobs, |(_, job)| job.dedup_key()))
        .bind(jobs.first().map(|(at, _)| at.as_microsecond()));
    insert.execute(&mut *connection).await.unwrap();
}

//! The rows of a booking, inserted without any check. All baselines share this part.

use std::path::Path;

use innkeeper::domain::{Booking, Change};
use innkeeper::store::CommitEntry;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, QueryBuilder, SqliteConnection};

/// A connection with the settings of the store's writing connection.
pub async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8192")
        .pragma("journal_size_limit", "67108864")
        .connect()
        .await
        .unwrap()
}

/// Inserts a batch of bookings in one transaction without checks: the upper bound of plain SQL.
pub async fn insert_batch(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.unwrap();
    insert(connection, batch).await;
    let nights = batch.iter().flat_map(|entry| {
        let stay = entry.fact.change.booking().unwrap().stay;
        stay.dates().map(|date| (entry.room_type, date))
    });
    let mut upsert = QueryBuilder::new("INSERT INTO nights (room_type_id, date, capacity, sold) ");
    upsert.push_values(nights, |mut row, (room_type, date)| {
        row.push_bind(room_type.to_string()).push_bind(date.to_string()).push_bind(10_000).push_bind(1);
    });
    upsert.push(" ON CONFLICT DO UPDATE SET sold = sold + 1");
    upsert.build().execute(&mut *connection).await.unwrap();
    sqlx::query("COMMIT").execute(&mut *connection).await.unwrap();
}

/// Inserts all rows of bookings except their nights, with one statement per table.
pub async fn insert(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    insert_bookings(connection, batch).await;
    insert_events(connection, batch).await;
    if batch.iter().any(|entry| entry.record.is_some()) {
        insert_records(connection, batch).await;
    }
    if batch.iter().any(|entry| !entry.jobs.is_empty()) {
        insert_jobs(connection, batch).await;
    }
}

async fn insert_bookings(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    let bookings: Vec<&Booking> = batch.iter().filter_map(|entry| entry.fact.change.booking()).map(|b| &**b).collect();
    let mut insert = QueryBuilder::new(
        "INSERT INTO bookings (id, hotel_id, room_type_id, rate_plan_id, status, check_in, check_out, rooms, prices,
         mobile, policy, currency, created_at, changed_at, sequence) ",
    );
    insert.push_values(&bookings, |mut row, b| {
        row.push_bind(b.id.to_string()).push_bind(b.hotel_id.to_string()).push_bind(b.room_type_id.to_string());
        row.push_bind(b.rate_plan_id.to_string()).push_bind(b.status.name());
        row.push_bind(b.stay.check_in().to_string()).push_bind(b.stay.check_out().to_string()).push_bind(b.rooms);
        row.push_bind(serde_json::to_string(&b.prices).unwrap()).push_bind(b.contact.mobile.as_str());
        row.push_bind(serde_json::to_string(&b.policy).unwrap()).push_bind(b.currency.code());
        row.push_bind(b.created_at.as_microsecond()).push_bind(b.changed_at.as_microsecond());
        row.push_bind(i64::try_from(b.sequence).unwrap());
    });
    insert.build().execute(&mut *connection).await.unwrap();

    let guests = bookings.iter().flat_map(|b| b.guests.iter().enumerate().map(|(n, guest)| (b.id, n as i64, guest)));
    let mut insert = QueryBuilder::new("INSERT INTO booking_guests (booking_id, position, name, age) ");
    insert.push_values(guests, |mut row, (id, position, guest)| {
        row.push_bind(id.to_string()).push_bind(position).push_bind(&guest.name).push_bind(guest.age);
    });
    insert.build().execute(&mut *connection).await.unwrap();
}

async fn insert_events(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    let mut insert =
        QueryBuilder::new("INSERT INTO events (room_type_id, sequence, fact_id, at, cause, booking_id, payload) ");
    insert.push_values(batch, |mut row, entry| {
        let fact = &entry.fact;
        row.push_bind(entry.room_type.to_string()).push_bind(i64::try_from(fact.sequence).unwrap());
        row.push_bind(fact.id.to_string()).push_bind(fact.at.as_microsecond()).push_bind(fact.change.cause());
        row.push_bind(fact.change.booking().map(|b| b.id.to_string()));
        let Change::Booking { deltas, .. } = &fact.change else { unreachable!("the bench writes bookings only") };
        row.push_bind(serde_json::to_string(deltas).unwrap());
    });
    insert.build().execute(&mut *connection).await.unwrap();
}

async fn insert_records(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    let records = batch.iter().filter_map(|entry| entry.record.as_ref());
    let mut insert = QueryBuilder::new("INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at) ");
    insert.push_values(records, |mut row, (key, record)| {
        row.push_bind(key.0.to_vec()).push_bind(record.fingerprint.0.to_vec()).push_bind(record.answer.kind());
        row.push_bind(serde_json::to_string(&record.answer).unwrap()).push_bind(record.expires_at.as_microsecond());
    });
    insert.build().execute(&mut *connection).await.unwrap();
}

async fn insert_jobs(connection: &mut SqliteConnection, batch: &[CommitEntry]) {
    let jobs = batch.iter().flat_map(|entry| entry.jobs.iter().map(|job| (entry.fact.at, job)));
    let mut insert = QueryBuilder::new(
        "INSERT INTO jobs (kind, tenant, payload, priority, max_attempts, dedup_key, once, next_at, created_at) ",
    );
    insert.push_values(jobs, |mut row, (at, job)| {
        row.push_bind(job.kind.name()).push_bind(job.tenant.map(|hotel| hotel.to_string()));
        row.push_bind(serde_json::to_string(&job.payload).unwrap()).push_bind(job.kind.priority());
        row.push_bind(job.kind.max_attempts()).push_bind(job.dedup_key()).push_bind(true);
        row.push_bind(at.as_microsecond()).push_bind(at.as_microsecond());
    });
    insert.build().execute(&mut *connection).await.unwrap();
}

//! The baselines: other ways to sell a room, one file each.
//!
//! All of them write the rows that innkeeper writes, to the same file with the same settings. They use one transaction per
//! booking, and each statement is prepared once. They differ in the way that prevents two guests from getting one room. They
//! have no fencing, no recovery and no search for the cheapest plan.

mod guarded_update;
mod polling_lock;
pub mod postgres;
mod redis_lock;
#[expect(dead_code, reason = "the benches cause no failure")]
#[path = "../../tests/it/support/redis.rs"]
pub mod redis_server;
pub mod rows;
mod serialised;

use guarded_update::GuardedUpdate;
use polling_lock::{MemoryLock, PollingLock};
use redis_lock::RedisLock;
use redis_server::Redis;
use serialised::Serialised;

use std::sync::Arc;

use innkeeper::clock::{Clock, IdSource, System};
use innkeeper::domain::{
    Amount, Booking, BookingId, CancellationPolicy, Cause, Change, Fact, FactId, HotelId, NightDelta, RatePlanId,
    RoomTypeId, Status, job,
};
use innkeeper::lease::Token;
use innkeeper::store::{Answer, CommitEntry, IdempotencyRecord};
use jiff::SignedDuration;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::contest::database::BenchDatabase;
use crate::contest::{Seller, StayRequest};

/// Baseline (c) on a database.
pub async fn guarded_update(database: &BenchDatabase) -> Arc<dyn Seller> {
    match database {
        BenchDatabase::Sqlite(_) => Arc::new(GuardedUpdate::open(&database.path()).await),
        BenchDatabase::Postgres(url) => Arc::new(postgres::GuardedUpdate::open(url).await),
    }
}

/// Baseline (b) on a database.
pub async fn serialised(database: &BenchDatabase) -> Arc<dyn Seller> {
    match database {
        BenchDatabase::Sqlite(_) => Arc::new(Serialised::open(&database.path()).await),
        BenchDatabase::Postgres(url) => Arc::new(postgres::Serialised::open(url).await),
    }
}

/// Baseline (a) on a database, and the Redis of its lock where it has one.
pub async fn polling_lock(database: &BenchDatabase) -> (Arc<dyn Seller>, Option<Redis>) {
    let transaction = serialised(database).await;
    match database {
        BenchDatabase::Sqlite(_) => (Arc::new(PollingLock::around(transaction, MemoryLock::default())), None),
        BenchDatabase::Postgres(_) => {
            let redis = Redis::start();
            let lock = RedisLock::connect(&redis.url()).await;
            (Arc::new(PollingLock::around(transaction, lock)), Some(redis))
        }
    }
}

/// The values of a room type that a transaction reads before it writes.
pub struct Seen {
    pub hotel: HotelId,
    pub plan: RatePlanId,
    pub price: Amount,
    /// The sequence number of the fact to write.
    pub sequence: u64,
}

impl Seen {
    /// From a row `hotel_id, rate_plan_id, price_minor, sequence`.
    fn of(row: &SqliteRow) -> Self {
        use sqlx::Row;
        let id = |column| row.get::<String, _>(column).parse::<Uuid>().unwrap();
        Self {
            hotel: HotelId(id("hotel_id")),
            plan: RatePlanId(id("rate_plan_id")),
            price: Amount(row.get("price_minor")),
            sequence: row.get::<i64, _>("sequence").unsigned_abs(),
        }
    }
}

/// The rows of a booking, as the engine would write them.
fn entry(stay_request: &StayRequest, seen: Seen) -> CommitEntry {
    let (order, at) = (&stay_request.order, System.now());
    let nights = usize::from(order.stay.nights());
    let booking = Arc::new(Booking {
        id: BookingId(System.next()),
        hotel_id: seen.hotel,
        room_type_id: stay_request.room_type,
        rate_plan_id: seen.plan,
        status: Status::Confirmed,
        stay: order.stay,
        rooms: order.rooms,
        guests: order.guests.clone(),
        prices: vec![seen.price; nights],
        added: Vec::new(),
        services: Vec::new(),
        contact: order.contact.clone(),
        external_reference: None,
        policy: CancellationPolicy::flexible(),
        currency: "EUR".parse().unwrap(),
        created_at: at,
        changed_at: at,
        sequence: seen.sequence,
    });
    let deltas = order.stay.dates().map(|date| NightDelta { date, sold: i32::from(order.rooms), held: 0 }).collect();
    let change = Change::Booking { cause: Cause::Booked, booking: booking.clone(), deltas };
    let record = stay_request.key.map(|key| {
        let expires_at = at + SignedDuration::from_hours(24);
        (key.digest, IdempotencyRecord { fingerprint: key.fingerprint, answer: Answer::Booking(booking), expires_at })
    });
    let fact = Fact { id: FactId(System.next()), sequence: seen.sequence, at, change };
    let (jobs, room_type) = (job::caused_by(&fact), stay_request.room_type);
    CommitEntry { room_type, token: Token(0), fact: Arc::new(fact), record, jobs, answer_only: false }
}

/// The rows of a booking without any check.
pub fn unchecked_entry(stay_request: &StayRequest, sequence: &mut u64) -> CommitEntry {
    *sequence += 1;
    let id = |group: u128| Uuid::from_u128(stay_request.room_type.0.as_u128() & u128::from(u32::MAX) | group << 64);
    entry(
        stay_request,
        Seen { hotel: HotelId(id(0)), plan: RatePlanId(id(2)), price: Amount(10_000), sequence: *sequence },
    )
}

async fn begin(connection: &mut SqliteConnection) {
    sqlx::query("BEGIN IMMEDIATE").execute(connection).await.unwrap();
}

/// Ends a transaction. Returns whether it sold a room.
async fn end(connection: &mut SqliteConnection, sold: bool) -> bool {
    let statement = if sold { "COMMIT" } else { "ROLLBACK" };
    sqlx::query(statement).execute(connection).await.unwrap();
    sold
}

/// Sets the sequence number of a room type.
async fn set_sequence(connection: &mut SqliteConnection, room_type: RoomTypeId, sequence: u64) {
    let update = sqlx::query("UPDATE room_types SET sequence = $2 WHERE id = $1");
    let update = update.bind(room_type.to_string()).bind(i64::try_from(sequence).unwrap());
    update.execute(connection).await.unwrap();
}

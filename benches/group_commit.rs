//! The cost of durability: bookings committed in batches of 1, 16 and 256, compared with bare inserts of the same rows in
//! batches of 256. All have the same file, settings and run. Throughput is bookings per second.

#[path = "baselines/rows.rs"]
mod rows;

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use innkeeper::domain::testing::{PRICE, hotel, noon, order, plan, room_type, stay};
use innkeeper::domain::{BookingId, Command, FactId, Inventory, Timestamp};
use innkeeper::lease::Token;
use innkeeper::store::sqlite::Sqlite;
use innkeeper::store::{Answer, Catalogue, CommitEntry, Fingerprint, IdempotencyRecord, Journal, KeyDigest, Verdict};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use uuid::Uuid;

const TOKEN: Token = Token(1);

/// A room type with enough rooms for all bookings, and ids that count up.
struct Workload {
    inventory: Inventory,
    now: Timestamp,
    last_id: u128,
}

impl Workload {
    async fn open(store: &Sqlite) -> Self {
        let (now, hotel, room_type) = (noon(0), hotel(), room_type(10_000));
        store.insert_hotel(&hotel).await.unwrap();
        store.insert_room_type(&room_type).await.unwrap();
        store.claim(room_type.id, TOKEN).await.unwrap();
        let inventory = store.load(room_type.id, now).await.unwrap().unwrap();
        let mut workload = Self { inventory, now, last_id: 10 };
        let entry = workload.decide(Command::SetRatePlan(plan(1, PRICE)));
        store.commit(&[entry]).await.unwrap();
        workload
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    fn decide(&mut self, command: Command) -> CommitEntry {
        let id = FactId(self.id());
        let fact = Arc::new(self.inventory.decide(command, id, self.now).unwrap());
        self.inventory.apply(&fact);
        CommitEntry {
            room_type: self.inventory.room_type.id,
            token: TOKEN,
            fact,
            record: None,
            jobs: Vec::new(),
            answer_only: false,
        }
    }

    /// Three nights somewhere in two years, two guests, an idempotency key.
    fn book(&mut self) -> CommitEntry {
        let id = BookingId(self.id());
        let days = i64::try_from(self.last_id % 700).unwrap();
        let order = order(stay(days, 3), 1);
        let mut entry = self.decide(Command::Book { id, order, hold_until: self.now });
        let answer = Answer::Booking(entry.fact.change.booking().unwrap().clone());
        let expires_at = self.now + SignedDuration::from_hours(24);
        let key = KeyDigest(Sha256::digest(id.0).into());
        entry.record = Some((key, IdempotencyRecord { fingerprint: Fingerprint([9; 32]), answer, expires_at }));
        entry
    }

    fn batch(&mut self, size: usize) -> Vec<CommitEntry> {
        (0..size).map(|_| self.book()).collect()
    }
}

fn group_commit(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    // In the build folder, because /tmp may be a RAM disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("bench.db");
    let (store, mut workload, bare) = runtime.block_on(async {
        let store = Sqlite::open(&format!("sqlite://{}", path.display()), true).await.unwrap();
        store.migrate().await.unwrap();
        let workload = Workload::open(&store).await;
        (store, workload, Mutex::new(rows::connect(&path).await))
    });
    let mut group = criterion.benchmark_group("group_commit");
    group.sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    for size in [1, 16, 256] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("batch_of_{size}"), |bench| {
            bench.to_async(&runtime).iter_batched(
                || workload.batch(size),
                async |batch| {
                    let verdicts = store.commit(&batch).await.unwrap();
                    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Committed));
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.throughput(Throughput::Elements(256));
    group.bench_function("bare_inserts_of_256", |bench| {
        bench.to_async(&runtime).iter_batched(
            || workload.batch(256),
            async |batch| rows::insert_batch(&mut *bare.lock().await, &batch).await,
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, group_commit);
criterion_main!(benches);

//! Faults that only a shared store can have.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use innkeeper::clock::{Clock, ManualClock};
use innkeeper::domain::testing::guests;
use innkeeper::domain::{Amendment, Command, Move};
use innkeeper::housekeeping;
use innkeeper::lease::Token;
use innkeeper::store::postgres::{Options, Postgres};
use innkeeper::store::{
    Catalogue, Claim, CommitEntry, CommitError, Feed, IdempotencyRecord, Instance, Journal, KeyDigest, Page, Store,
    Verdict,
};
use innkeeper::tasks::Tasks;
use jiff::SignedDuration;
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::store_contract::fixture::{self, Desk, StoreFixture, booking, keyed, order, stay};
use crate::support::eventually::eventually;
use crate::support::test_database::Lock;

/// Another node on the same database.
async fn neighbour(house: &StoreFixture) -> Arc<dyn Store> {
    Arc::new(Postgres::open(&house.place.url(), false, Options::default()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_used_on_two_nodes_at_the_same_moment_has_one_effect() {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    let (mut here, mut there) = (house.desk(500).await, house.desk(500).await);
    for round in 0..50 {
        // In one order here, and in the other order there.
        let (low, high) = (2 * round, 2 * round + 1);
        let one = [keyed(here.book(order(stay(1, 1), 1)), low), keyed(here.book(order(stay(1, 1), 1)), high)];
        let two = [keyed(there.book(order(stay(1, 1), 1)), high), keyed(there.book(order(stay(1, 1), 1)), low)];
        let (one, two) = tokio::join!(house.store.commit(&one), neighbour.commit(&two));
        let verdicts = [one.unwrap(), two.unwrap()].concat();
        let committed = verdicts.iter().filter(|verdict| **verdict == Verdict::Committed).count();
        assert_eq!(committed, 2, "{verdicts:?}");
        (here, there) = (reopened(&house, here.id()).await, reopened(&house, there.id()).await);
    }
    house.assert_sound(here.id()).await;
    house.assert_sound(there.id()).await;
}

async fn reopened(house: &StoreFixture, id: innkeeper::domain::RoomTypeId) -> fixture::Desk {
    let Claim::Stale { current } = house.store.claim(id, Token(0)).await.unwrap() else { panic!("it has an owner") };
    house.open_desk(id, Token(current.0 + 1)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_of_the_same_room_types_do_not_deadlock() {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    let mut desks = Vec::new();
    for _ in 0..8 {
        desks.push(house.desk(500).await);
    }
    let zombies = desks.clone();
    for round in 2..20 {
        let mut owned = Vec::new();
        for desk in &desks {
            owned.push(house.open_desk(desk.id(), Token(round)).await);
        }
        desks = owned;
        let fresh: Vec<_> = desks.iter_mut().map(|desk| desk.book(order(stay(1, 1), 1))).collect();
        let stale: Vec<_> = zombies.iter().rev().map(|desk| desk.clone().book(order(stay(1, 1), 1))).collect();
        let (fresh, stale) = tokio::join!(house.store.commit(&fresh), neighbour.commit(&stale));
        assert_eq!(fresh.unwrap(), [Verdict::Committed; 8]);
        assert_eq!(stale.unwrap(), [Verdict::Fenced; 8]);
    }
}

#[tokio::test]
async fn a_claim_waits_for_a_commit_under_way() {
    let house = fixture::postgres().await;
    let desk = house.desk(5).await;
    // Like a commit: first the lock, then the rest.
    let lock = house.place.lock().await;
    let claim = house.store.claim(desk.id(), Token(2));
    tokio::pin!(claim);
    tokio::select! {
        claimed = &mut claim => panic!("it did not wait: {claimed:?}"),
        () = a_session_waits(&house) => {}
    }
    lock.release().await;
    assert_eq!(claim.await.unwrap(), Claim::Granted);
}

#[tokio::test]
async fn a_waiting_claim_succeeds_with_every_default_isolation() {
    let house = fixture::postgres().await;
    let desk = house.desk(5).await;
    let strict = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation TO serializable', current_database());
    END $$";
    house.place.execute(strict).await;
    let neighbour = neighbour(&house).await;
    let mut commit = PgConnection::connect(&house.place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE room_types SET sequence = sequence").execute(&mut commit).await.unwrap();
    let claim = neighbour.claim(desk.id(), Token(2));
    let committed = async {
        a_session_waits(&house).await;
        sqlx::raw_sql("COMMIT").execute(&mut commit).await.unwrap();
    };
    assert_eq!(tokio::join!(claim, committed).0.unwrap(), Claim::Granted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_store_counts_as_reachable() {
    let house = fixture::postgres().await;
    let desk = house.desk(5).await;
    let options = Options { connections: 3, lanes: 1, ..Options::default() };
    let busy = Arc::new(Postgres::open(&house.place.url(), false, options).await.unwrap());
    let mut lock = PgConnection::connect(&house.place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE services IN ACCESS EXCLUSIVE MODE").execute(&mut lock).await.unwrap();
    let (list, hotel) = (busy.clone(), desk.inventory.hotel.id);
    let list = tokio::spawn(async move { list.services(hotel, Page { after: None, limit: 1 }).await });
    a_session_waits(&house).await;
    busy.reach().await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut lock).await.unwrap();
    assert_eq!(list.await.unwrap().unwrap(), []);
}

/// Waits until a session waits for a lock in this database.
async fn a_session_waits(house: &StoreFixture) {
    waiting(house, 1).await;
}

/// Waits until so many sessions wait for a lock in this database.
async fn waiting(house: &StoreFixture, count: i64) {
    let mut connection = PgConnection::connect(&house.place.url()).await.unwrap();
    seen_waiting(&mut connection, count).await;
}

/// The same with a given connection, without a delay.
async fn seen_waiting(connection: &mut PgConnection, count: i64) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await.unwrap() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_of_the_feed_misses_nothing_under_concurrent_writes() {
    let house = fixture::postgres().await;
    let mut desks = Vec::new();
    for _ in 0..6 {
        desks.push(house.desk(5_000).await);
    }
    let (store, each) = (house.store.clone(), 40);
    let total = desks.len() * (each + 1);
    let writers = join_all(desks.into_iter().map(|mut desk| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                store.commit(&[desk.book(order(stay(1, 1), 1))]).await.unwrap();
            }
        })
    }));
    let reader = async {
        let (mut read, mut after) = (Vec::new(), None);
        while read.len() < total {
            let portion = store.events(after, 7).await.unwrap().unwrap().events;
            after = portion.last().map(|event| event.position).or(after);
            read.extend(portion);
        }
        read
    };
    let (_, read) = tokio::join!(writers, reader);
    for event in &read {
        let before = read.iter().filter(|other| other.room_type == event.room_type && other.position < event.position);
        assert_eq!(u64::try_from(before.count()).unwrap() + 1, event.sequence, "in order, without a gap");
    }
}

#[tokio::test]
async fn positions_continue_after_a_dump_is_restored_in_another_cluster() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    // The old cluster's numbers were far ahead of this one's.
    house.place.execute("UPDATE events SET position = position + (1::bigint << 50)").await;
    house.store.close().await.unwrap();
    let store = Postgres::open(&house.place.url(), false, Options::default()).await.unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    store.commit(&[desk.book(order(stay(1, 1), 1))]).await.unwrap();
    house.settled().await;
    let events = store.events(None, 10).await.unwrap().unwrap().events;
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_a_fast_clock_deletes_nothing_too_early() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    let expired = keyed(desk.book(order(stay(1, 1), 1)), 1);
    // Expires in another century by the node's clock only.
    let mut needed = keyed(desk.book(order(stay(1, 1), 1)), 2);
    let century = SignedDuration::from_hours(24 * 365 * 100);
    needed.record = needed
        .record
        .map(|(key, record)| (key, IdempotencyRecord { expires_at: record.expires_at + century, ..record }));
    house.commit(&[expired, needed]).await;
    house.place.execute("UPDATE events SET at = at + 3155760000000000 WHERE sequence > 2").await;
    house.settled().await;

    let ahead = Arc::new(ManualClock::at(house.now + century + century));
    let (tasks, ahead): (_, Arc<dyn Clock>) = (Tasks::default(), ahead);
    housekeeping::delete_old(&tasks, &house.store, &ahead, Duration::from_secs(3_600));
    let keys = [1, 2].map(|key| KeyDigest([key; 32]));
    eventually("what is old by every clock is deleted", async || {
        let recalled = house.store.recall(&keys[..1], house.now).await.unwrap();
        recalled.is_empty() && house.store.events_of(desk.id(), 0, 1).await.unwrap()[0].sequence > 2
    })
    .await;
    tasks.abandon();
    assert!(house.store.recall(&keys, house.now).await.unwrap().contains_key(&keys[1]));
    let left = house.store.events_of(desk.id(), 0, 10).await.unwrap();
    assert_eq!(left.iter().map(|event| event.sequence).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn a_lock_that_is_not_released_makes_the_store_unavailable() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    let options = Options { lock_wait: Duration::ZERO, ..Options::default() };
    let impatient = Postgres::open(&house.place.url(), false, options).await.unwrap();
    let lock = house.place.lock().await;
    let entry = desk.book(order(stay(1, 1), 1));
    let refused = impatient.commit(std::slice::from_ref(&entry)).await.unwrap_err();
    assert!(matches!(refused, innkeeper::store::CommitError::RolledBack(_)), "{refused:?}");
    assert!(impatient.claim(desk.id(), Token(2)).await.is_err());
    lock.release().await;
    assert_eq!(impatient.commit(&[entry]).await.unwrap(), [Verdict::Committed]);
}

/// Another program locks the row of a room type, also while the rest of its batch is written.
#[rstest]
#[case::bookings(false)]
#[case::settings(true)]
#[tokio::test]
async fn a_room_type_locked_by_another_program_does_not_delay_its_lane(#[case] settings: bool) {
    let house = fixture::postgres().await;
    let (mut locked, mut free) = (house.desk(50).await, house.desk(50).await);
    let mut program = PgConnection::connect(&house.place.url()).await.unwrap();
    let lock = format!("BEGIN; SELECT FROM room_types WHERE id = '{}' FOR UPDATE", locked.id());
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut program).await.unwrap();
    let entry = |desk: &mut Desk| match settings {
        true => desk.decide(Command::SetRatePlan(desk.plan("Late", 9_000))).unwrap(),
        false => desk.book(order(stay(1, 1), 1)),
    };
    let batch = [entry(&mut locked), entry(&mut free)];
    let verdicts = house.store.commit(&batch).await.unwrap();
    assert_eq!(verdicts, [Verdict::Fenced, Verdict::Committed], "its actor begins again");

    let since = std::time::Instant::now();
    for _ in 0..20 {
        let batch = [entry(&mut locked), entry(&mut free)];
        assert_eq!(house.store.commit(&batch).await.unwrap(), [Verdict::Fenced, Verdict::Committed]);
    }
    assert!(since.elapsed() < Duration::from_secs(20), "no batch waits for the lock again: {:?}", since.elapsed());
    Lock::Postgres(program).release().await;
    assert_eq!(house.store.commit(&batch[..1]).await.unwrap(), [Verdict::Committed], "as soon as it is given up");
    house.assert_sound(locked.id()).await;
    house.assert_sound(free.id()).await;
}

/// Commits on another node, which freezes while it has the room type and `barrier` blocks it, until the next owner has
/// claimed it. Returns the result of the commit.
fn commit_and_freeze(
    barrier: &'static str,
    decide: impl Fn(&mut Desk) -> CommitEntry,
) -> Result<Vec<Verdict>, CommitError> {
    let frozen = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let awake = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (falls_asleep, asleep) = std::sync::mpsc::channel();
    let (wake, woken) = std::sync::mpsc::channel();
    awake.block_on(async {
        let house = fixture::postgres().await;
        let (mut desk, url) = (house.desk(5).await, house.place.url());
        let entry = decide(&mut desk);
        // Everything of the other node runs on one thread.
        let neighbour = frozen.spawn(async move { Postgres::open(&url, false, Options::default()).await.unwrap() });
        let neighbour = neighbour.await.unwrap();
        let mut holder = PgConnection::connect(&house.place.url()).await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut holder).await.unwrap();
        sqlx::raw_sql(barrier).execute(&mut holder).await.unwrap();
        let committing = frozen.spawn(async move { neighbour.commit(&[entry]).await });
        a_session_waits(&house).await;
        frozen.spawn(async move {
            falls_asleep.send(()).unwrap();
            woken.recv().unwrap();
        });
        asleep.recv().unwrap();
        Lock::Postgres(holder).release().await;
        eventually("the next owner has it", async || {
            matches!(house.store.claim(desk.id(), Token(2)).await, Ok(Claim::Granted))
        })
        .await;
        wake.send(()).unwrap();
        let committed = committing.await.unwrap();
        house.assert_sound(desk.id()).await;
        committed
    })
}

#[test]
fn a_node_that_freezes_during_a_commit_does_not_block_the_next_owner_forever() {
    // Settings take several statements: the transaction holds the room type, and no next statement arrives.
    let barrier = "LOCK TABLE events IN EXCLUSIVE MODE";
    let change = |desk: &mut Desk| desk.decide(Command::SetRatePlan(desk.plan("Late", 9_000))).unwrap();
    let committed = commit_and_freeze(barrier, change);
    assert!(committed.is_err(), "what it had begun is undone: {committed:?}");
}

#[test]
fn a_booking_is_durable_although_its_node_freezes_after_sending() {
    // The last step of a booking checks that its hotel exists.
    let barrier = "SELECT FROM hotels FOR UPDATE";
    let committed = commit_and_freeze(barrier, |desk| desk.book(order(stay(1, 1), 1)));
    assert_eq!(committed.unwrap(), [Verdict::Committed]);
}

/// Breaks every committing connection while its statement waits.
#[tokio::test]
async fn a_connection_lost_during_the_statement_leaves_an_unknown_outcome() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    let entry = desk.book(order(stay(1, 1), 1));
    let lock = house.place.lock().await;
    let commit = house.store.commit(std::slice::from_ref(&entry));
    let cut = async {
        a_session_waits(&house).await;
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        house.place.execute(waiting).await;
    };
    let (committed, ()) = tokio::join!(commit, cut);
    assert!(matches!(committed, Err(CommitError::UnknownOutcome(_))), "{committed:?}");
    lock.release().await;
    assert_eq!(house.store.commit(&[entry]).await.unwrap(), [Verdict::Committed], "the next connection is a fresh one");
}

/// The statement has begun with an old snapshot when the next owner claims.
#[tokio::test]
async fn a_commit_that_waited_for_a_claim_is_fenced() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    let entry = desk.book(order(stay(1, 1), 1));
    let mut claim = PgConnection::connect(&house.place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE room_types SET fencing_token = 2").execute(&mut claim).await.unwrap();
    let commit = house.store.commit(std::slice::from_ref(&entry));
    let claimed = async {
        a_session_waits(&house).await;
        sqlx::raw_sql("COMMIT").execute(&mut claim).await.unwrap();
    };
    assert_eq!(tokio::join!(commit, claimed).0.unwrap(), [Verdict::Fenced]);
    house.assert_sound(desk.id()).await;
}

/// An answer is lost, and the next batch of the same owner does not wait for the first one.
#[rstest]
#[case::a_booking(false)]
#[case::a_change_of_a_plan_too(true)]
#[tokio::test]
async fn a_commit_that_waited_for_the_one_before_counts_on_top_of_it(#[case] settings: bool) {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    let mut desk = house.desk(5).await;
    let first = [desk.book(order(stay(1, 1), 1))];
    let mut second = vec![desk.book(order(stay(1, 1), 1))];
    if settings {
        second.push(desk.decide(Command::SetRatePlan(desk.plan("Late", 9_000))).unwrap());
    }
    let mut holder = PgConnection::connect(&house.place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM hotels FOR UPDATE").execute(&mut holder).await.unwrap();
    let second = async {
        waiting(&house, 1).await;
        neighbour.commit(&second).await
    };
    let release = async {
        waiting(&house, 2).await;
        sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    };
    let (first, second, ()) = tokio::join!(house.store.commit(&first), second, release);
    assert_eq!(first.unwrap(), [Verdict::Committed]);
    assert!(second.unwrap().iter().all(|verdict| *verdict == Verdict::Committed));
    house.assert_sound(desk.id()).await;
    assert_eq!(house.store.load(desk.id(), house.now).await.unwrap().unwrap().calendar, desk.inventory.calendar);
}

/// The number of a transaction is older than the wait within it.
#[rstest]
#[case::bookings(false)]
#[case::a_change_of_a_plan_too(true)]
#[tokio::test]
async fn a_later_event_has_a_later_position_after_every_wait(#[case] settings: bool) {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    // In the order of their ids, which is the order of their locks.
    let (mut low, mut middle, mut high) = (house.desk(5).await, house.desk(5).await, house.desk(5).await);
    house.settled().await;
    let before = house.store.end().await.unwrap().event;
    let first = [high.book(order(stay(1, 1), 1))];
    let mut second: Vec<_> = [&mut low, &mut middle, &mut high].map(|desk| desk.book(order(stay(1, 1), 1))).into();
    if settings {
        second.push(low.decide(Command::SetRatePlan(low.plan("Late", 9_000))).unwrap());
    }
    let mut holder = PgConnection::connect(&house.place.url()).await.unwrap();
    let hold = "SELECT FROM room_types WHERE id = $1 FOR UPDATE";
    sqlx::raw_sql("BEGIN").execute(&mut holder).await.unwrap();
    sqlx::query(hold).bind(middle.id().0).execute(&mut holder).await.unwrap();
    let meanwhile = async {
        waiting(&house, 1).await;
        assert_eq!(house.store.commit(&first).await.unwrap(), [Verdict::Committed]);
        sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    };
    let (second, ()) = tokio::join!(neighbour.commit(&second), meanwhile);
    assert!(second.unwrap().iter().all(|verdict| *verdict == Verdict::Committed));
    house.settled().await;
    let events = house.store.events(Some(before), 10).await.unwrap().unwrap().events;
    let sequences: Vec<_> =
        events.iter().filter(|event| event.room_type == high.id()).map(|event| event.sequence).collect();
    assert_eq!(sequences, [2, 3]);
}

/// Two nodes find an expired key, and one of them uses it again before the other one begins.
#[tokio::test]
async fn a_key_that_another_node_uses_again_meanwhile_has_one_effect() {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    let (mut here, mut there) = (house.desk(5).await, house.desk(5).await);
    let guest = here.book(order(stay(2, 1), 1));
    house.commit(&[keyed(guest.clone(), 1)]).await;
    (here.now, there.now) = (here.now + SignedDuration::from_hours(24), there.now + SignedDuration::from_hours(24));
    let amendment = Amendment { guests: Some(guests(&[50])), ..Amendment::default() };
    let slow = [here.act(&booking(&guest), Move::Amend(amendment)), keyed(here.book(order(stay(2, 1), 1)), 1)];
    let fast = [keyed(there.book(order(stay(2, 1), 1)), 1)];
    let mut holder = PgConnection::connect(&house.place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM booking_guests FOR UPDATE").execute(&mut holder).await.unwrap();
    let meanwhile = async {
        // It has looked up its key, and waits to replace the guests.
        waiting(&house, 1).await;
        assert_eq!(neighbour.commit(&fast).await.unwrap(), [Verdict::Committed]);
        sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    };
    let (slow, ()) = tokio::join!(house.store.commit(&slow), meanwhile);
    assert_eq!(slow.unwrap(), [Verdict::Committed, Verdict::Duplicate]);
    let (key, attempt) = fast[0].record.clone().unwrap();
    assert_eq!(house.store.recall(&[key], there.now).await.unwrap()[&key], attempt);
}

/// One batch has deleted an expired key, and waits for another key of this batch; this batch waits for the first key.
#[tokio::test]
async fn two_batches_with_the_same_keys_are_both_stored() {
    let house = fixture::postgres().await;
    // After a wait, a session checks for a deadlock once and is rolled back if there is one: the batch, not its rival.
    // A statement of a commit may take 8 s.
    let patience = "ALTER DATABASE %I SET deadlock_timeout = ''6s''";
    let patience = format!("DO $$ BEGIN EXECUTE format('{patience}', current_database()); END $$");
    house.place.execute(&patience).await;
    let options = Options { lock_wait: Duration::from_secs(60), ..Options::default() };
    let store = Postgres::open(&house.place.url(), false, options).await.unwrap();
    let mut observer = PgConnection::connect(&house.place.url()).await.unwrap();
    let (mut here, mut there) = (house.desk(5).await, house.desk(5).await);
    house.commit(&[keyed(here.book(order(stay(2, 1), 1)), 2)]).await;
    (here.now, there.now) = (here.now + SignedDuration::from_hours(24), there.now + SignedDuration::from_hours(24));
    let batch = [keyed(here.book(order(stay(2, 1), 1)), 1), keyed(there.book(order(stay(2, 1), 1)), 2)];
    let mut rival = PgConnection::connect(&house.place.url()).await.unwrap();
    let deletes =
        "BEGIN; SET LOCAL deadlock_timeout = '10min'; CREATE TEMP TABLE old AS SELECT * FROM idempotency_records;
        UPDATE old SET key = decode(repeat('01', 32), 'hex'), expires_at = 9e15; DELETE FROM idempotency_records";
    sqlx::raw_sql(deletes).execute(&mut rival).await.unwrap();
    let inserts = async {
        seen_waiting(&mut observer, 1).await;
        sqlx::raw_sql("INSERT INTO idempotency_records SELECT * FROM old; COMMIT").execute(&mut rival).await.unwrap();
    };
    let (verdicts, ()) = tokio::join!(store.commit(&batch), inserts);
    assert_eq!(verdicts.unwrap(), [Verdict::Duplicate, Verdict::Committed]);
}

/// No validation accepts such a text. If one did, the database would refuse only this entry.
#[tokio::test]
async fn only_the_entry_with_an_unstorable_text_is_left_out() {
    let house = fixture::postgres().await;
    let (mut honest, mut desk) = (house.desk(5).await, house.desk(5).await);
    let mut order = order(stay(1, 1), 1);
    order.external_reference = Some("a\0b".into());
    let batch =
        [desk.book(fixture::order(stay(1, 1), 1)), desk.book(order), honest.book(fixture::order(stay(1, 1), 1))];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed, Verdict::Unstorable, Verdict::Committed]);
    house.assert_sound(desk.id()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_start_of_a_node_counts_its_heartbeats_and_a_silent_one_is_forgotten_after_a_day() {
    let house = fixture::postgres().await;
    let neighbour = neighbour(&house).await;
    let secret = house.store.installation_secret([7; 32]).await.unwrap();
    assert_eq!(secret.len(), 32);
    let instance = |n| Instance { id: Uuid::from_u128(n), node: "node-0".to_owned() };
    let (one, two, nobody) = (instance(1), instance(2), Uuid::from_u128(3));
    let first = house.store.heartbeat(&one, &[]).await.unwrap();
    assert_eq!((first.committed, first.beats.len()), (Some(1), 0), "no beat was requested");
    house.store.heartbeat(&one, &[]).await.unwrap();
    let other = neighbour.heartbeat(&two, &[one.id, nobody]).await.unwrap();
    assert_eq!((other.committed, other.beats), (Some(1), HashMap::from([(one.id, 2)])));
    assert_eq!(first.database, neighbour.database().await.unwrap());

    let mut connection = PgConnection::connect(&house.place.url()).await.unwrap();
    for (instance, hours) in [(one.id, 23), (two.id, 25)] {
        let older = sqlx::query("UPDATE members SET at = at - $2::bigint * 3600 * 1000000 WHERE instance = $1");
        older.bind(instance).bind(hours).execute(&mut connection).await.unwrap();
    }
    house.store.heartbeat(&instance(4), &[]).await.unwrap();
    let left = house.store.heartbeat(&instance(4), &[one.id, two.id]).await.unwrap();
    assert_eq!(left.beats, HashMap::from([(one.id, 2)]));

    sqlx::raw_sql("ALTER TABLE members ADD CHECK (beat < 3)").execute(&mut connection).await.unwrap();
    let refused = house.store.heartbeat(&one, &[one.id]).await.unwrap();
    assert_eq!((refused.committed, refused.beats), (None, HashMap::from([(one.id, 2)])), "it answers all the same");
}

/// PostgreSQL compresses a payload with many similar nights to less than a hundredth.
#[tokio::test]
async fn a_page_of_events_is_bounded_by_the_bytes_that_are_sent() {
    let house = fixture::postgres().await;
    let mut desk = house.desk(50).await;
    for _ in 0..20 {
        house.commit(&[desk.book(order(stay(1, 1), 1))]).await;
    }
    let payload =
        "SELECT jsonb_build_object('deltas', jsonb_agg(jsonb_build_object('date', '2026-05-02', 'sold', 1, 'held', 0)))
        FROM generate_series(1, 1000)";
    house.place.execute(&format!("UPDATE events SET payload = ({payload}) WHERE cause = 'booked'")).await;
    house.settled().await;
    let mut connection = PgConnection::connect(&house.place.url()).await.unwrap();
    let sizes = "SELECT max(pg_column_size(payload))::bigint, max(octet_length(payload::text))::bigint FROM events";
    let (stored, sent): (i64, i64) = sqlx::query_as(sizes).fetch_one(&mut connection).await.unwrap();
    assert!(stored < 2_000 && sent > 40_000, "{stored} {sent}");
    let page = house.store.events(None, 100).await.unwrap().unwrap();
    assert!(page.more && (10..16).contains(&page.events.len()), "{} events", page.events.len());
    assert!(house.store.events_of(desk.id(), 0, 100).await.unwrap().len() < 16);
}

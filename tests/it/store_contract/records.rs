//! Records that are not about a booking alone: answers of any kind, jobs of any tenant, facts of any scope.

use std::slice::from_ref;
use std::sync::Arc;

use futures_util::future::join_all;
use innkeeper::domain::{Hotel, HotelId, RoomType, testing};
use innkeeper::store::feed::Excerpt;
use innkeeper::store::{
    self, Answer, CommitEntry, Fingerprint, IdempotencyRecord, KeyDigest, NewRecord, Page, Verdict,
};
use jiff::SignedDuration;

use super::contract;
use super::fixture::{Desk, StoreFixture, keyed, order, stay};
use crate::support::test_database::TestDatabase;

/// A booking that carries an answer of some kind, under a key.
fn answered(desk: &mut Desk, key: u8, answer: Answer) -> CommitEntry {
    let expires_at = desk.now + SignedDuration::from_hours(24);
    let record = IdempotencyRecord { fingerprint: Fingerprint([9; 32]), answer, expires_at };
    CommitEntry { record: Some((KeyDigest([key; 32]), record)), ..desk.book(order(stay(1, 1), 1)) }
}

async fn an_answer_of_any_kind_is_recalled_as_it_was_stored(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    let answers = [
        Answer::Hotel(Arc::new(testing::hotel())),
        Answer::RoomType(Arc::new(testing::room_type(3))),
        Answer::RatePlan(Arc::new(testing::plan(1, testing::PRICE))),
        Answer::Service(Arc::new(testing::breakfast())),
    ];
    for (key, answer) in (1..).zip(answers) {
        let entry = answered(&mut desk, key, answer);
        assert_eq!(house.commit(from_ref(&entry)).await, [Verdict::Committed]);
        let (key, record) = entry.record.unwrap();
        assert_eq!(house.store.recall(&[key], house.now).await.unwrap()[&key], record);
    }
}

async fn an_answer_of_a_later_version_is_known_by_its_kind(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    house.commit(&[keyed(desk.book(order(stay(1, 1), 1)), 1)]).await;
    house.place.execute("UPDATE idempotency_records SET kind = 'payment', answer = '{\"paid\": true}'").await;
    let key = KeyDigest([1; 32]);
    let recalled = house.store.recall(&[key], house.now).await.unwrap();
    assert_eq!(recalled[&key].answer, Answer::Unknown("payment".to_owned()));
    let again = keyed(desk.book(order(stay(1, 1), 1)), 1);
    assert_eq!(house.commit(&[again]).await, [Verdict::Duplicate]);
    assert_eq!(house.store.stray_idempotency_records(10).await.unwrap(), []);
}

/// An object with the record of its key, which expires after a day.
fn new(house: &StoreFixture, key: u8, answer: Answer) -> NewRecord {
    let expires_at = house.now + SignedDuration::from_hours(24);
    let record = IdempotencyRecord { fingerprint: Fingerprint([key; 32]), answer, expires_at };
    NewRecord { key: KeyDigest([key; 32]), record, at: house.now }
}

fn another_hotel(house: &StoreFixture) -> Arc<Hotel> {
    Arc::new(Hotel { id: HotelId(house.id()), ..testing::hotel() })
}

async fn an_object_and_the_record_of_its_key_are_stored_together_or_not_at_all(house: StoreFixture) {
    let (first, second) = (another_hotel(&house), another_hotel(&house));
    let stored = new(&house, 1, Answer::Hotel(first.clone()));
    assert!(house.store.insert_once(&stored).await.unwrap());
    assert_eq!(house.store.hotel(first.id).await.unwrap().as_ref(), Some(&*first));
    assert_eq!(house.store.recall(&[stored.key], house.now).await.unwrap()[&stored.key], stored.record);

    let repeat = new(&house, 1, Answer::Hotel(second.clone()));
    assert!(!house.store.insert_once(&repeat).await.unwrap(), "the key has a record");
    assert_eq!(house.store.hotel(second.id).await.unwrap(), None);
    assert_eq!(house.store.recall(&[stored.key], house.now).await.unwrap()[&stored.key], stored.record);

    let homeless = Arc::new(RoomType { hotel_id: HotelId(house.id()), ..testing::room_type(3) });
    let refused = new(&house, 2, Answer::RoomType(homeless));
    assert!(matches!(house.store.insert_once(&refused).await, Err(store::Error::Refused(_))));
    assert_eq!(house.store.recall(&[refused.key], house.now).await.unwrap().len(), 0);
    assert_eq!(house.store.stray_idempotency_records(10).await.unwrap(), []);
}

async fn a_key_whose_record_has_expired_stores_another_object(house: StoreFixture) {
    let (first, second) = (another_hotel(&house), another_hotel(&house));
    let stored = new(&house, 1, Answer::Hotel(first));
    assert!(house.store.insert_once(&stored).await.unwrap());
    let mut later = new(&house, 1, Answer::Hotel(second.clone()));
    (later.at, later.record.expires_at) =
        (stored.record.expires_at, stored.record.expires_at + SignedDuration::from_hours(24));
    assert!(house.store.insert_once(&later).await.unwrap());
    assert_eq!(house.store.hotel(second.id).await.unwrap().as_ref(), Some(&*second));
    assert_eq!(house.store.recall(&[later.key], later.at).await.unwrap()[&later.key], later.record);
}

async fn of_concurrent_requests_under_one_key_one_is_stored(house: StoreFixture) {
    let requests: Vec<_> = (0..8).map(|_| new(&house, 1, Answer::Hotel(another_hotel(&house)))).collect();
    let stored = join_all(requests.iter().map(|new| house.store.insert_once(new))).await;
    let stored: Vec<bool> = stored.into_iter().map(Result::unwrap).collect();
    assert_eq!(stored.iter().filter(|stored| **stored).count(), 1, "{stored:?}");
    let page = Page { after: None, limit: 10 };
    assert_eq!(house.store.hotels(None, page).await.unwrap().len(), 1);
}

async fn the_job_of_a_fact_is_stored_once(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    let mut entry = desk.book(order(stay(1, 2), 1));
    let (hotel, job) = (desk.inventory.hotel.id, entry.jobs[0]);
    entry.jobs = vec![job, job];
    house.commit(&[entry]).await;
    let later = CommitEntry { jobs: vec![job], ..desk.book(order(stay(1, 2), 1)) };
    house.place.execute("UPDATE jobs SET state = 'done', finished_at = 1").await;
    assert_eq!(house.commit(&[later]).await, [Verdict::Committed]);
    let jobs = "SELECT kind || ' ' || state || ' ' || dedup_key || ' ' || CAST(tenant AS text) FROM jobs";
    let expected = format!("booking_confirmation done {} {hotel}", job.dedup_key());
    assert_eq!(house.place.texts(jobs).await, [expected]);
    assert_eq!(house.store.stray_jobs(10).await.unwrap(), []);
}

/// Inserts a job by hand; whether the database takes it.
async fn takes_job(place: &TestDatabase, members: &str, values: &str) -> bool {
    let insert = format!(
        "INSERT INTO jobs (kind, payload, max_attempts, next_at, created_at{members}) \
         VALUES ('audit', '{{}}', 5, 0, 0{values})"
    );
    place.attempt(&insert).await.is_ok()
}

async fn a_dedup_key_is_taken_until_its_job_has_finished(house: StoreFixture) {
    let place = &house.place;
    let (members, values) = (", dedup_key", ", 'nightly'");
    assert!(takes_job(place, members, values).await);
    assert!(!takes_job(place, members, values).await, "the job waits");
    place
        .execute(
            "UPDATE jobs SET state = 'running', lease_token = 'a0a0a0a0-0000-4000-8000-000000000000', lease_until = 9",
        )
        .await;
    assert!(!takes_job(place, members, values).await, "the job runs");
    place.execute("UPDATE jobs SET state = 'dead', lease_token = NULL, lease_until = NULL, finished_at = 9").await;
    assert!(takes_job(place, members, values).await, "the job has finished");
    assert!(takes_job(place, "", "").await && takes_job(place, "", "").await, "a job need not have a key");
}

async fn jobs_belong_to_a_hotel_or_to_the_installation(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    assert!(takes_job(&house.place, ", tenant", &format!(", '{}'", hotel.id)).await);
    assert!(takes_job(&house.place, ", tenant", ", NULL").await);
    let nobody = HotelId(house.id());
    assert!(!takes_job(&house.place, ", tenant", &format!(", '{nobody}'")).await);
    assert_eq!(house.store.stray_jobs(10).await.unwrap(), []);
}

async fn a_job_is_in_one_state_with_what_belongs_to_it(house: StoreFixture) {
    let lease = "'a0a0a0a0-0000-4000-8000-000000000000'";
    let refused = [
        (", state", ", 'lost'".to_owned()),
        (", state", ", 'running'".to_owned()),
        (", lease_token, lease_until", format!(", {lease}, 9")),
        (", state, lease_token", format!(", 'running', {lease}")),
        (", state", ", 'done'".to_owned()),
        (", finished_at", ", 9".to_owned()),
        (", attempts", ", -1".to_owned()),
    ];
    for (members, values) in refused {
        assert!(!takes_job(&house.place, members, &values).await, "{members}{values}");
    }
    assert!(takes_job(&house.place, ", state, lease_token, lease_until", &format!(", 'running', {lease}, 9")).await);
    assert!(takes_job(&house.place, ", state, finished_at", ", 'cancelled', 9").await);
}

/// Stores a fact of a hotel, or of the installation, as a later version will.
async fn wider_fact(house: &StoreFixture, hotel: Option<HotelId>) {
    let (position, value) = match house.place {
        TestDatabase::Sqlite(_) => ("", ""),
        _ => (", position", ", (SELECT base + (pg_current_xact_id()::text::bigint << 12) FROM event_positions)"),
    };
    let (fact, at) = (house.id(), house.now.as_microsecond());
    let hotel = hotel.map_or("NULL".to_owned(), |hotel| format!("'{hotel}'"));
    let insert = format!(
        "INSERT INTO events (hotel_id, fact_id, at, cause, payload{position}) \
         VALUES ({hotel}, '{fact}', {at}, 'invoice_issued', '{{\"number\": 7}}'{value})"
    );
    house.place.execute(&insert).await;
}

async fn facts_of_a_hotel_or_the_installation_are_passed_over_by_those_who_follow_room_types(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    wider_fact(&house, Some(desk.inventory.hotel.id)).await;
    wider_fact(&house, None).await;
    house.commit(&[desk.book(order(stay(1, 1), 1))]).await;
    wider_fact(&house, None).await;
    house.settled().await;

    // The plan; the two wider facts alone; the booking and the last wider fact; nothing.
    let mut after = None;
    for (limit, sequences, more) in [(1, vec![1], true), (2, vec![], true), (5, vec![2], false)] {
        let page = house.store.events(after, limit).await.unwrap().unwrap();
        let found: Vec<u64> = page.events.iter().map(|event| event.sequence).collect();
        assert_eq!((found, page.more), (sequences, more));
        assert!(page.last > after, "a reader gets on");
        after = page.last;
    }
    let nothing = Excerpt { events: Vec::new(), last: None, more: false };
    assert_eq!(house.store.events(after, 5).await.unwrap(), Some(nothing));
    assert!(after <= Some(house.store.end().await.unwrap().event));
    assert_eq!(house.store.events_of(desk.id(), 0, 10).await.unwrap().len(), 2);
    house.assert_sound(desk.id()).await;
}

async fn old_facts_of_a_hotel_or_the_installation_are_deleted_and_no_position_is_given_again(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    wider_fact(&house, Some(desk.inventory.hotel.id)).await;
    wider_fact(&house, None).await;
    house.settled().await;
    let last = house.store.events(None, 10).await.unwrap().unwrap().last;
    let much_later = house.now + SignedDuration::from_hours(10_000);
    while house.store.trim_events(much_later, 10).await.unwrap() > 0 {}

    house.commit(&[desk.book(order(stay(1, 1), 1))]).await;
    house.settled().await;
    let page = house.store.events(last, 10).await.unwrap().unwrap();
    assert_eq!(page.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2]);
    while house.store.trim_events(much_later, 10).await.unwrap() > 0 {}
    let left = house.place.texts("SELECT CAST(sequence AS text) FROM events").await;
    assert_eq!(left, ["2"], "the last event of the room type stays");
    house.assert_sound(desk.id()).await;
}

async fn an_event_has_one_scope(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    house.commit(&[desk.book(order(stay(1, 1), 1))]).await;
    let hotel = desk.inventory.hotel.id;
    for wrong in [&*format!("hotel_id = '{hotel}'"), "room_type_id = NULL", "sequence = NULL"] {
        assert!(
            house.place.attempt(&format!("UPDATE events SET {wrong} WHERE sequence = 2")).await.is_err(),
            "{wrong}"
        );
    }
}

contract![
    an_object_and_the_record_of_its_key_are_stored_together_or_not_at_all,
    a_key_whose_record_has_expired_stores_another_object,
    of_concurrent_requests_under_one_key_one_is_stored,
    an_answer_of_any_kind_is_recalled_as_it_was_stored,
    an_answer_of_a_later_version_is_known_by_its_kind,
    the_job_of_a_fact_is_stored_once,
    a_dedup_key_is_taken_until_its_job_has_finished,
    jobs_belong_to_a_hotel_or_to_the_installation,
    a_job_is_in_one_state_with_what_belongs_to_it,
    facts_of_a_hotel_or_the_installation_are_passed_over_by_those_who_follow_room_types,
    old_facts_of_a_hotel_or_the_installation_are_deleted_and_no_position_is_given_again,
    an_event_has_one_scope,
];

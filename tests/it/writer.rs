//! The writer in front of a real store: how much one commit gathers.

use std::sync::Arc;

use innkeeper::domain::{Guest, Order};
use innkeeper::events::Hub;
use innkeeper::writer::{MAX_BATCH_BYTES, Outcome, Writer};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::store_contract::fixture::{self, StoreFixture, keyed, order, stay};
use crate::support::counted::counted;
use crate::support::unreliable_journal::Unreliable;

/// Facts that are submitted at once; they would fit into one commit by their number.
const FACTS: usize = 16;

/// Two adults and a child in each of a hundred rooms, with the longest names there are.
fn crowd(night: i64) -> Order {
    let name = "\u{1F600}".repeat(Guest::MAX_NAME);
    let guests = [34, 34, 6].repeat(100).into_iter().map(|age| Guest { name: name.clone(), age }).collect();
    Order { guests, ..order(stay(night, 1), 100) }
}

async fn commits_are_limited_in_bytes(house: StoreFixture) {
    let mut desk = house.desk(100).await;
    let journal = Arc::new(Unreliable::new(house.store.clone()));
    let (writer, _task) = Writer::start(journal.clone(), Hub::default(), 256);
    let (told, mut outcomes) = mpsc::unbounded_channel();
    // The writer runs when this waits for the first outcome: by then everything is in its queue.
    for number in 0..FACTS {
        let entry = keyed(desk.book(crowd(number as i64)), number as u8);
        let told = told.clone();
        let settle = Box::new(move |outcome: Outcome| told.send((number, outcome)).unwrap());
        writer.reserve(desk.id()).unwrap().submit(entry, None, settle);
    }
    for number in 0..FACTS {
        assert_eq!(outcomes.recv().await.unwrap(), (number, Outcome::Committed));
    }
    let batches = journal.batches();
    assert_eq!(batches.iter().flatten().count(), FACTS);
    for batch in &batches {
        assert!(batch.iter().sum::<usize>() <= MAX_BATCH_BYTES, "{batches:?}");
    }
    assert!(batches.len() < FACTS / 2, "a commit gathers what fits: {batches:?}");
    house.assert_sound(desk.id()).await;
}

#[tokio::test]
async fn a_commit_is_limited_in_bytes_on_sqlite() {
    commits_are_limited_in_bytes(fixture::sqlite().await).await;
}

#[tokio::test]
async fn a_commit_is_limited_in_bytes_on_postgres() {
    commits_are_limited_in_bytes(fixture::postgres().await).await;
}

#[tokio::test]
async fn each_withdrawn_fact_is_counted_as_an_expired_request() {
    let house = fixture::any().await;
    let mut desk = house.desk(9).await;
    let (writer, _task) = Writer::start(house.store.clone(), Hub::default(), 100);
    let (told, mut outcomes) = mpsc::unbounded_channel();
    let before = counted("innkeeper_requests_expired_total");
    for _ in 0..5 {
        let (told, entry) = (told.clone(), desk.book(order(stay(1, 1), 1)));
        let on_outcome = Box::new(move |outcome: Outcome| told.send(outcome).unwrap());
        writer.reserve(desk.id()).unwrap().submit(entry, Some(Instant::now()), on_outcome);
    }
    for _ in 0..5 {
        assert_eq!(outcomes.recv().await.unwrap(), Outcome::Lost);
    }
    assert!(counted("innkeeper_requests_expired_total") >= before + 5.0);
}

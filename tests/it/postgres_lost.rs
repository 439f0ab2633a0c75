//! A connection that breaks before or after `COMMIT`, and before its answer.

use innkeeper::domain::Command;
use innkeeper::lease::Token;
use innkeeper::store::postgres::{Options, Postgres};
use innkeeper::store::{Claim, CommitError, Journal, KeyDigest, Verdict};
use rstest::rstest;

use crate::store_contract::fixture::{self, keyed, order, stay};
use crate::support::wire::{Fate, Wire};

/// A change of a plan makes the batch take the longer transaction, with a separate `COMMIT`.
#[rstest]
#[case::the_server_has_heard(Fate::Unanswered, true)]
#[case::the_server_has_never_heard(Fate::Unheard, false)]
#[tokio::test]
async fn the_next_owner_resolves_an_unknown_outcome(#[case] fate: Fate, #[case] is_stored: bool) {
    let house = fixture::postgres().await;
    let mut desk = house.desk(5).await;
    let wire = Wire::to(&house.place.url()).await;
    let node = Postgres::open(wire.url(), false, Options::default()).await.unwrap();
    let batch = [
        keyed(desk.book(order(stay(1, 1), 1)), 1),
        desk.decide(Command::SetRatePlan(desk.plan("Late", 9_000))).unwrap(),
    ];
    let facts = [batch[0].fact.id, batch[1].fact.id];

    wire.when("COMMIT\0", fate);
    let committed = node.commit(&batch).await;
    assert!(matches!(committed, Err(CommitError::UnknownOutcome(_))), "{committed:?}");

    assert_eq!(house.store.claim(desk.id(), Token(2)).await.unwrap(), Claim::Granted);
    let stored = if is_stored { facts.into() } else { [].into() };
    assert_eq!(house.store.committed(&facts).await.unwrap(), stored);
    let recalled = house.store.recall(&[KeyDigest([1; 32])], house.now).await.unwrap();
    assert_eq!(recalled.len(), usize::from(is_stored));
    let found = house.store.load(desk.id(), house.now).await.unwrap().unwrap();
    assert_eq!(found.calendar == desk.inventory.calendar, is_stored, "what the owner believed to have sold");
    house.assert_sound(desk.id()).await;
    assert_eq!(house.store.commit(&batch).await.unwrap(), [Verdict::Fenced; 2], "the old token repeats nothing");
}

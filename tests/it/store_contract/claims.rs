//! Who may write: fencing tokens.

use innkeeper::domain::RoomTypeId;
use innkeeper::lease::Token;
use innkeeper::store::{Claim, Verdict};

use super::contract;
use super::fixture::{StoreFixture, order, stay};

async fn a_claim_raises_the_token_and_a_lower_one_is_stale(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let id = house.room_type(&hotel, 1).await.id;
    assert_eq!(house.store.claim(id, Token(7)).await.unwrap(), Claim::Granted);
    assert_eq!(house.store.claim(id, Token(7)).await.unwrap(), Claim::Stale { current: Token(7) });
    assert_eq!(house.store.claim(id, Token(6)).await.unwrap(), Claim::Stale { current: Token(7) });
    assert_eq!(house.store.claim(id, Token(8)).await.unwrap(), Claim::Granted);
}

async fn an_unknown_room_type_cannot_be_claimed_or_loaded(house: StoreFixture) {
    let nobody = RoomTypeId(house.id());
    assert_eq!(house.store.claim(nobody, Token(1)).await.unwrap(), Claim::NoSuchRoomType);
    assert!(house.store.load(nobody, house.now).await.unwrap().is_none());
}

async fn the_token_of_the_last_claim_of_each_room_type_is_known(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let [claimed, again, never] =
        [house.room_type(&hotel, 1).await.id, house.room_type(&hotel, 1).await.id, house.room_type(&hotel, 1).await.id];
    let nobody = RoomTypeId(house.id());
    for (id, token) in [(claimed, Token(7)), (again, Token(3)), (again, Token(9))] {
        assert_eq!(house.store.claim(id, token).await.unwrap(), Claim::Granted);
    }
    let tokens = house.store.tokens(&[claimed, again, never, nobody, claimed]).await.unwrap();
    assert_eq!(tokens, [(claimed, Token(7)), (again, Token(9)), (never, Token(0))].into());
    assert!(house.store.tokens(&[]).await.unwrap().is_empty());
}

async fn what_an_earlier_owner_decided_is_fenced_and_leaves_no_trace(house: StoreFixture) {
    let mut zombie = house.desk(1).await;
    let late = zombie.book(order(stay(1, 2), 1));
    let owner = house.open_desk(zombie.id(), Token(2)).await;
    assert_eq!(house.commit(std::slice::from_ref(&late)).await, [Verdict::Fenced]);
    assert!(house.store.committed(&[late.fact.id]).await.unwrap().is_empty());
    let reloaded = house.store.load(owner.id(), house.now).await.unwrap().unwrap();
    assert_eq!((reloaded.sequence(), &reloaded.calendar), (owner.inventory.sequence(), &owner.inventory.calendar));
    house.assert_sound(owner.id()).await;
}

async fn a_token_that_was_never_claimed_is_fenced(house: StoreFixture) {
    let mut desk = house.desk(1).await;
    desk.token = Token(99);
    let entry = desk.book(order(stay(1, 2), 1));
    assert_eq!(house.commit(&[entry]).await, [Verdict::Fenced]);
}

async fn one_fenced_room_type_does_not_stop_the_others(house: StoreFixture) {
    let (mut first, mut second) = (house.desk(1).await, house.desk(1).await);
    house.open_desk(first.id(), Token(2)).await;
    let batch = [first.book(order(stay(1, 1), 1)), second.book(order(stay(1, 1), 1)), first.book(order(stay(5, 1), 1))];
    assert_eq!(house.commit(&batch).await, [Verdict::Fenced, Verdict::Committed, Verdict::Fenced]);
    house.assert_sound(second.id()).await;
}

contract!(
    a_claim_raises_the_token_and_a_lower_one_is_stale,
    an_unknown_room_type_cannot_be_claimed_or_loaded,
    the_token_of_the_last_claim_of_each_room_type_is_known,
    what_an_earlier_owner_decided_is_fenced_and_leaves_no_trace,
    a_token_that_was_never_claimed_is_fenced,
    one_fenced_room_type_does_not_stop_the_others,
);

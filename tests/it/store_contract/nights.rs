//! Capacity, prices and restrictions of nights.

use std::slice::from_ref;

use innkeeper::domain::nights_change::{Patch, RestrictionPatch};
use innkeeper::domain::{Amount, Command, Move, NightsChange, RoomType};
use innkeeper::store::Verdict;
use jiff::SignedDuration;

use super::contract;
use super::fixture::{Desk, StoreFixture, booking, day, order, stay};

fn change(from: i64, to: i64) -> NightsChange {
    NightsChange::untouched(day(from), day(to))
}

fn resized(desk: &Desk, rooms: u16) -> Command {
    Command::SetRoomType(RoomType { rooms, ..desk.inventory.room_type.clone() })
}

async fn assert_reloads(house: &StoreFixture, desk: &Desk) {
    let loaded = house.store.load(desk.id(), desk.now).await.unwrap().unwrap();
    assert_eq!(loaded.calendar, desk.inventory.calendar);
    assert_eq!(loaded.plans, desk.inventory.plans);
    assert_eq!(loaded.room_type, desk.inventory.room_type);
    house.assert_sound(desk.id()).await;
}

async fn settings_of_nights_come_back_and_can_be_reset(house: StoreFixture) {
    let mut desk = house.desk(3).await;
    let closed = RestrictionPatch {
        closed_to_arrival: Patch::Set(true),
        min_nights_through: Patch::Set(2),
        ..RestrictionPatch::default()
    };
    let plan = desk.inventory.plans[0].id;
    let own =
        NightsChange { out_of_order: Patch::Set(1), allowance: Patch::Set(2), restriction: closed, ..change(1, 4) };
    let price = NightsChange { rate_plan: Some(plan), price: Patch::Set(Amount(8000)), ..change(2, 6) };
    for change in [own, price] {
        let entry = desk.decide(Command::SetNights(change)).unwrap();
        house.commit(&[entry]).await;
    }
    assert_reloads(&house, &desk).await;
    let back = NightsChange { out_of_order: Patch::Reset, allowance: Patch::Reset, ..change(1, 3) };
    let entry = desk.decide(Command::SetNights(back)).unwrap();
    house.commit(&[entry]).await;
    assert_reloads(&house, &desk).await;
}

async fn a_night_may_be_enlarged_and_sold_in_one_batch(house: StoreFixture) {
    let mut desk = house.desk(1).await;
    let first = desk.book(order(stay(1, 2), 1));
    let more = NightsChange { physical: Patch::Set(2), ..change(1, 3) };
    let batch = [first, desk.decide(Command::SetNights(more)).unwrap(), desk.book(order(stay(1, 2), 1))];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed; 3]);
    assert_reloads(&house, &desk).await;
}

async fn a_night_may_be_freed_and_made_smaller_in_one_batch(house: StoreFixture) {
    let mut desk = house.desk(2).await;
    let pair = desk.book(order(stay(1, 2), 2));
    house.commit(from_ref(&pair)).await;
    let cancelled = desk.act(&booking(&pair), Move::Cancel);
    let fewer = NightsChange { physical: Patch::Set(1), ..change(1, 3) };
    let batch = [cancelled, desk.decide(Command::SetNights(fewer)).unwrap(), desk.book(order(stay(1, 1), 1))];
    assert_eq!(house.commit(&batch).await, [Verdict::Committed; 3]);
    assert_reloads(&house, &desk).await;
}

async fn a_room_type_may_grow_and_shrink_between_bookings_of_one_batch(house: StoreFixture) {
    let mut desk = house.desk(1).await;
    let one = desk.book(order(stay(1, 1), 1));
    let grown = resized(&desk, 3);
    let grown = desk.decide(grown).unwrap();
    let two = desk.book(order(stay(1, 1), 2));
    let gone = desk.act(&booking(&two), Move::Cancel);
    let shrunk = resized(&desk, 1);
    let shrunk = desk.decide(shrunk).unwrap();
    assert_eq!(house.commit(&[one, grown, two, gone, shrunk]).await, [Verdict::Committed; 5]);
    assert_reloads(&house, &desk).await;
}

async fn nights_follow_the_room_type_unless_they_say_otherwise(house: StoreFixture) {
    let mut desk = house.desk(2).await;
    let own = desk.decide(Command::SetNights(NightsChange { physical: Patch::Set(5), ..change(1, 2) })).unwrap();
    let batch = [own, desk.book(order(stay(1, 2), 2))];
    house.commit(&batch).await;
    let entry = resized(&desk, 4);
    let entry = desk.decide(entry).unwrap();
    house.commit(&[entry]).await;
    let evidence = house.store.evidence(desk.id()).await.unwrap();
    assert_eq!(evidence.nights.iter().map(|night| night.capacity).collect::<Vec<_>>(), [5, 4]);
    assert_reloads(&house, &desk).await;
}

async fn a_smaller_room_type_does_not_resize_the_past(house: StoreFixture) {
    let mut desk = house.desk(3).await;
    let full = desk.book(order(stay(0, 2), 3));
    house.commit(from_ref(&full)).await;
    desk.now += SignedDuration::from_hours(72);
    desk.inventory.roll(desk.now);
    let smaller = resized(&desk, 1);
    let smaller = desk.decide(smaller).unwrap();
    assert_eq!(house.commit(&[smaller]).await, [Verdict::Committed]);
    // A no-show: the second night is given back, the first stays sold.
    let no_show = desk.act(&booking(&full), Move::NoShow);
    assert_eq!(house.commit(&[no_show]).await, [Verdict::Committed]);
    let night = house.store.counted_nights(None, 9).await.unwrap().remove(0);
    assert_eq!((night.date, night.sold, night.physical), (day(0), 3, 3), "there were three rooms then");
    assert_reloads(&house, &desk).await;
}

async fn a_capacity_below_what_is_sold_is_refused(house: StoreFixture) {
    let mut desk = house.desk(2).await;
    // A desk that does not know the booking makes the night smaller than what is sold.
    let mut blind = desk.clone();
    let sold = desk.book(order(stay(1, 1), 2));
    house.commit(from_ref(&sold)).await;
    let shrunk = resized(&blind, 1);
    let mut entry = blind.decide(shrunk).unwrap();
    let mut fact = innkeeper::domain::Fact::clone(&entry.fact);
    fact.sequence += 1;
    entry.fact = std::sync::Arc::new(fact);
    assert_eq!(house.commit(&[entry]).await, [Verdict::Refused]);
    assert_reloads(&house, &desk).await;
}

contract!(
    settings_of_nights_come_back_and_can_be_reset,
    a_night_may_be_enlarged_and_sold_in_one_batch,
    a_night_may_be_freed_and_made_smaller_in_one_batch,
    a_room_type_may_grow_and_shrink_between_bookings_of_one_batch,
    nights_follow_the_room_type_unless_they_say_otherwise,
    a_smaller_room_type_does_not_resize_the_past,
    a_capacity_below_what_is_sold_is_refused,
);

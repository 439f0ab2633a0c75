//! The history: read by room type, read as a whole, and trimmed.

use innkeeper::domain::nights_change::Patch;
use innkeeper::domain::{
    Amount, Change, Command, Hotel, NightDelta, NightsChange, RoomType, Service, ServiceId, testing,
};
use innkeeper::store::feed::{ChangedHotel, Event, Payload};
use jiff::SignedDuration;

use super::contract;
use super::fixture::{Desk, StoreFixture, booking, day, order, stay};

/// Commits so many bookings of one night each, one commit each.
async fn book(house: &StoreFixture, desk: &mut Desk, count: usize) {
    for _ in 0..count {
        let entry = desk.book(order(stay(5, 1), 1));
        house.commit(&[entry]).await;
    }
    house.settled().await;
}

async fn all(house: &StoreFixture) -> Vec<Event> {
    house.settled().await;
    house.store.events(None, 1_000).await.unwrap().unwrap().events
}

fn sequences(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.sequence).collect()
}

async fn an_event_tells_what_a_booking_did_to_the_calendar(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let entry = desk.book(order(stay(1, 2), 3));
    house.commit(std::slice::from_ref(&entry)).await;
    let events = house.store.events_of(desk.id(), 1, 10).await.unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.sequence, event.cause.as_str(), event.at), (2, "booked", house.now));
    assert_eq!((event.booking, event.room_type), (Some(booking(&entry).id), desk.id()));
    assert_eq!(event.hotel, desk.inventory.hotel.id);
    let deltas = [1, 2].map(|night| NightDelta { date: day(night), sold: 3, held: 0 });
    assert_eq!(event.payload, Payload::Booking { deltas: deltas.into() });
}

async fn an_event_tells_the_new_values_of_everything_else(house: StoreFixture) {
    let mut desk = house.desk(5).await;
    let entries = [
        desk.decide(Command::SetRoomType(RoomType { rooms: 7, ..desk.inventory.room_type.clone() })),
        desk.decide(Command::SetRatePlan(desk.plan("Saver", 9_000))),
        desk.decide(Command::SetNights(NightsChange {
            physical: Patch::Set(2),
            ..NightsChange::untouched(day(3), day(5))
        })),
    ]
    .map(Result::unwrap);
    house.commit(&entries).await;
    let events = house.store.events_of(desk.id(), 1, 10).await.unwrap();
    let told: Vec<_> = events.into_iter().map(|event| event.payload).collect();
    let changes: Vec<Change> = entries.iter().map(|entry| entry.fact.change.clone()).collect();
    assert_eq!(told, changes.into_iter().map(Payload::Other).collect::<Vec<_>>());
}

async fn events_of_a_room_type_come_in_order_and_in_portions(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    book(&house, &mut desk, 4).await;
    let portion = house.store.events_of(desk.id(), 2, 2).await.unwrap();
    assert_eq!(sequences(&portion), [3, 4]);
    assert!(house.store.events_of(desk.id(), 5, 2).await.unwrap().is_empty());
}

async fn all_events_come_in_the_order_of_their_commits(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let (mut one, mut two) = (house.desk_in(&hotel, 9).await, house.desk_in(&hotel, 9).await);
    for _ in 0..3 {
        let batch = [two.book(order(stay(1, 1), 1)), one.book(order(stay(1, 1), 1))];
        house.commit(&batch).await;
    }
    let events = all(&house).await;
    let told: Vec<_> = events.iter().map(|event| (event.room_type == one.id(), event.sequence)).collect();
    let expected = [(true, 1), (false, 1), (false, 2), (true, 2), (false, 3), (true, 3), (false, 4), (true, 4)];
    assert_eq!(told, expected);
    assert!(events.is_sorted_by_key(|event| event.position));
    let later = house.store.events(Some(events[5].position), 1).await.unwrap().unwrap().events;
    assert_eq!(later, events[6..7]);
    assert_eq!(house.store.events(Some(events[7].position), 10).await.unwrap().unwrap().events, []);
    assert_eq!(house.store.events(Some(u64::MAX), 10).await.unwrap().unwrap().events, []);
}

async fn trimmed_events_are_gone_and_the_rest_still_adds_up(house: StoreFixture) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let (mut busy, quiet) = (house.desk_in(&hotel, 9).await, house.desk_in(&hotel, 9).await);
    book(&house, &mut busy, 3).await;
    let seen = all(&house).await;
    busy.now = house.now + SignedDuration::from_hours(48);
    book(&house, &mut busy, 2).await;

    let yesterday = house.now + SignedDuration::from_hours(24);
    assert_eq!(house.store.trim_events(house.now, 10).await.unwrap(), 0);
    assert_eq!(house.store.trim_events(yesterday, 4).await.unwrap(), 4);
    assert_eq!(house.store.trim_events(yesterday, 4).await.unwrap(), 1);
    assert_eq!(house.store.trim_events(yesterday, 4).await.unwrap(), 0);

    assert_eq!(sequences(&all(&house).await), [5, 6]);
    assert_eq!(house.store.events(Some(0), 10).await.unwrap(), None);
    assert_eq!(house.store.events(Some(seen[3].position), 10).await.unwrap(), None);
    let rest = house.store.events(Some(seen[4].position), 10).await.unwrap().unwrap().events;
    assert_eq!(sequences(&rest), [5, 6]);
    assert_eq!(sequences(&house.store.events_of(busy.id(), 2, 10).await.unwrap()), [5, 6]);
    house.assert_sound(busy.id()).await;
    house.assert_sound(quiet.id()).await;
}

async fn the_last_event_of_a_room_type_stays_until_there_is_a_later_one(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    book(&house, &mut desk, 2).await;
    let last = all(&house).await[2].position;
    let much_later = house.now + SignedDuration::from_hours(10_000);
    assert_eq!(house.store.trim_events(much_later, 10).await.unwrap(), 3);
    assert_eq!(sequences(&house.store.events_of(desk.id(), 0, 10).await.unwrap()), [3]);
    house.assert_sound(desk.id()).await;

    book(&house, &mut desk, 1).await;
    house.assert_sound(desk.id()).await;
    assert!(all(&house).await[0].position > last, "a position is never given again");
    assert_eq!(house.store.trim_events(much_later, 10).await.unwrap(), 1);
    assert_eq!(sequences(&house.store.events_of(desk.id(), 0, 10).await.unwrap()), [4]);
    house.assert_sound(desk.id()).await;
}

async fn changed(house: &StoreFixture, after: u64) -> Vec<ChangedHotel> {
    house.settled().await;
    house.store.changed_hotels(after, 100).await.unwrap()
}

async fn a_hotel_is_told_again_whenever_something_of_it_changes(house: StoreFixture) {
    let (one, two) = (house.hotel("Casa Azul", "Lisbon").await, house.hotel("Casa Verde", "Braga").await);
    let told = changed(&house, 0).await;
    assert_eq!(told.iter().map(|change| change.hotel).collect::<Vec<_>>(), [one.id, two.id]);
    assert_eq!(house.store.changed_hotels(0, 1).await.unwrap(), told[..1]);
    assert_eq!(changed(&house, told[0].position).await, told[1..]);

    let mut after = told[1].position;
    let (moved, breakfast) = (Hotel { city: "Porto".into(), ..one.clone() }, testing::breakfast());
    let breakfast = Service { id: ServiceId(house.id()), hotel_id: one.id, ..breakfast };
    let dearer = Service { price: Amount(1_500), ..breakfast.clone() };
    for change in 0..4 {
        match change {
            0 => assert!(house.store.update_hotel(&one, &moved).await.unwrap()),
            1 => drop(house.room_type(&one, 3).await),
            2 => house.store.insert_service(&breakfast).await.unwrap(),
            _ => assert!(house.store.update_service(&breakfast, &dearer).await.unwrap()),
        }
        let told = changed(&house, after).await;
        assert_eq!(told.iter().map(|change| change.hotel).collect::<Vec<_>>(), [one.id], "change {change}");
        after = told[0].position;
    }
    assert_eq!(changed(&house, 0).await.len(), 2, "each hotel is told once, however often it has changed");
}

async fn what_was_not_changed_and_what_is_sold_is_not_told(house: StoreFixture) {
    let mut desk = house.desk(9).await;
    let after = changed(&house, 0).await[0].position;
    let hotel = Hotel::clone(&desk.inventory.hotel);
    let (stale, breakfast) = (Hotel { city: "Faro".into(), ..hotel.clone() }, testing::breakfast());
    assert!(!house.store.update_hotel(&stale, &hotel).await.unwrap());
    assert!(!house.store.update_service(&breakfast, &breakfast).await.unwrap());
    book(&house, &mut desk, 2).await;
    assert_eq!(changed(&house, after).await, []);
}

async fn after_the_end_there_is_what_comes_and_nothing_else(house: StoreFixture) {
    assert_eq!(all(&house).await, []);
    let mut desk = house.desk(9).await;
    book(&house, &mut desk, 2).await;
    let end = house.store.end().await.unwrap();
    let after_the_end = async || house.store.events(Some(end.event), 10).await.unwrap().unwrap().events;
    assert_eq!((after_the_end().await, changed(&house, end.hotel).await), (vec![], vec![]));

    book(&house, &mut desk, 2).await;
    let hotel = house.hotel("Casa Verde", "Braga").await;
    assert_eq!(changed(&house, end.hotel).await.iter().map(|change| change.hotel).collect::<Vec<_>>(), [hotel.id]);
    assert_eq!(sequences(&after_the_end().await), [4, 5]);

    let much_later = house.now + SignedDuration::from_hours(10_000);
    while house.store.trim_events(much_later, 10).await.unwrap() > 0 {}
    let trimmed = house.store.end().await.unwrap();
    assert_eq!(house.store.events(Some(trimmed.event), 10).await.unwrap().unwrap().events, []);
}

contract![
    an_event_tells_what_a_booking_did_to_the_calendar,
    an_event_tells_the_new_values_of_everything_else,
    events_of_a_room_type_come_in_order_and_in_portions,
    all_events_come_in_the_order_of_their_commits,
    trimmed_events_are_gone_and_the_rest_still_adds_up,
    the_last_event_of_a_room_type_stays_until_there_is_a_later_one,
    a_hotel_is_told_again_whenever_something_of_it_changes,
    what_was_not_changed_and_what_is_sold_is_not_told,
    after_the_end_there_is_what_comes_and_nothing_else,
];

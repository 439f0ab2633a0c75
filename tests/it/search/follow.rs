//! The index follows the store, with every notice and without it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use innkeeper::clock::{Clock, ManualClock};
use innkeeper::domain::catalogue::Zone;
use innkeeper::domain::{Fact, Hotel, HotelId, Inventory, Order, Party, RoomTypeId, Stay, Timestamp};
use innkeeper::events::{BACKLOG, Hub, Notice};
use innkeeper::search::{Building, Index, Search, SearchArea, Sort, follow};
use innkeeper::store::CommitEntry;
use innkeeper::tasks::Tasks;
use tokio::time::Instant;

use super::index_of;
use crate::store_contract::fixture::{Desk, StoreFixture, any, order, stay};
use crate::support::eventually::eventually;

/// An index that follows a hub whose messages the test controls.
struct Watcher {
    house: StoreFixture,
    hub: Hub,
    index: Index,
}

impl Watcher {
    async fn of(house: StoreFixture) -> Self {
        let (index, hub) = index_of(&house.store, house.now).await;
        Self { house, hub, index }
    }

    fn tell(&self, entries: &[CommitEntry]) {
        let facts: Arc<[(RoomTypeId, Arc<Fact>)]> =
            entries.iter().map(|entry| (entry.room_type, entry.fact.clone())).collect();
        self.hub.publish(Notice::Committed(facts));
    }

    async fn caught_up(&self) {
        self.index.reached(self.hub.position()).await;
    }

    /// Names of the hotels of a city that sell the stay.
    fn sellers(&self, city: &str, stay: Stay) -> Vec<String> {
        let page = self.index.search(&search(city, stay), self.house.now);
        page.offers.iter().map(|offer| offer.hotel.name.clone()).collect()
    }

    /// The hotels of Lisbon that sell the stay.
    fn offering(&self, stay: Stay) -> Vec<HotelId> {
        let page = self.index.search(&search("Lisbon", stay), self.house.now);
        page.offers.iter().map(|offer| offer.hotel.id).collect()
    }

    /// Checks that the followed index equals a fresh one.
    async fn assert_current(&self) {
        self.caught_up().await;
        let (fresh, _) = index_of(&self.house.store, self.house.now).await;
        assert_same(&self.index, &fresh, self.house.now);
    }
}

/// Two indexes agree at `now`. Past days may still be in one of them. So may the names of live holds, which are in the
/// counters of both.
pub fn assert_same(one: &Index, other: &Index, now: Timestamp) {
    let known = |index: &Index| {
        let mut stock = index.stock();
        stock.iter_mut().for_each(|inventory| inventory.roll(now));
        stock
    };
    let (one, other) = (known(one), known(other));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        let parts = |it: &Inventory| (it.room_type.clone(), it.sequence(), it.hotel.clone());
        assert_eq!(parts(one), parts(other));
        assert_eq!(one.calendar, other.calendar);
        assert_eq!(one.plans, other.plans);
    }
}

fn search(city: &str, stay: Stay) -> Search {
    let (place, party) = (SearchArea::City(city.into()), Party { adults: 1, children: 0 });
    Search { place, stay, party, rooms: 1, sort: Sort::Price, after: None, limit: 20 }
}

/// One room of one hotel in Lisbon, in an index.
async fn one_room() -> (Watcher, Desk) {
    let house = any().await;
    let desk = house.desk(1).await;
    (Watcher::of(house).await, desk)
}

/// A committed booking of the only room.
async fn book(watcher: &Watcher, desk: &mut Desk) -> CommitEntry {
    let entry = desk.book(order(stay(3, 2), 1));
    watcher.house.commit(std::slice::from_ref(&entry)).await;
    entry
}

#[tokio::test(start_paused = true)]
async fn search_before_the_build_is_refused() {
    assert_eq!(Index::default().caught_up(0).await, Err(Building));
}

#[tokio::test]
async fn a_booking_closes_its_nights_and_no_others() {
    let (watcher, mut desk) = one_room().await;
    assert_eq!(watcher.sellers("Lisbon", stay(3, 2)), ["Casa Azul"]);
    let booked = book(&watcher, &mut desk).await;
    watcher.tell(&[booked]);
    watcher.caught_up().await;
    assert!(watcher.sellers("lisbon", stay(4, 3)).is_empty());
    assert_eq!(watcher.sellers("Lisbon", stay(5, 3)), ["Casa Azul"]);
    watcher.assert_current().await;
}

#[tokio::test]
async fn a_repeated_notice_is_applied_once() {
    let (watcher, mut desk) = one_room().await;
    let booked = book(&watcher, &mut desk).await;
    watcher.tell(&[booked.clone(), booked.clone()]);
    watcher.tell(&[booked]);
    watcher.assert_current().await;
}

#[tokio::test]
async fn a_missed_fact_is_read_with_the_next_one() {
    let (watcher, mut desk) = one_room().await;
    let silent = book(&watcher, &mut desk).await;
    watcher.caught_up().await;
    assert_eq!(watcher.index.sequence(desk.id()), Some(silent.fact.sequence - 1));
    let told = desk.book(order(stay(7, 2), 1));
    watcher.house.commit(std::slice::from_ref(&told)).await;
    watcher.tell(&[told]);
    watcher.assert_current().await;
    assert!(watcher.sellers("Lisbon", stay(3, 1)).is_empty());
}

#[tokio::test]
async fn an_index_that_missed_notices_reads_the_store() {
    let (watcher, mut desk) = one_room().await;
    let missed = book(&watcher, &mut desk).await;
    watcher.tell(&[missed]);
    // On one thread the follower cannot run in between.
    for _ in 0..=BACKLOG {
        watcher.hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
    }
    watcher.assert_current().await;
    assert!(watcher.sellers("Lisbon", stay(3, 2)).is_empty());
}

#[tokio::test]
async fn a_missed_fact_is_unknown_until_the_store_is_read() {
    let (watcher, mut desk) = one_room().await;
    let missed = book(&watcher, &mut desk).await;
    let sequence = missed.fact.sequence;
    let before = watcher.hub.position();
    watcher.tell(&[missed]);
    // On one thread the follower cannot run in between.
    for _ in 0..BACKLOG + 100 {
        watcher.hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
    }
    watcher.index.reached(before + 1).await;
    assert_eq!(watcher.index.sequence(desk.id()), Some(sequence));
}

#[tokio::test]
async fn commits_during_the_build_are_in_the_index() {
    let house = any().await;
    let mut desks = Vec::new();
    for _ in 0..20 {
        desks.push(house.desk(1).await);
    }
    let watcher = Watcher { house, hub: Hub::default(), index: Index::default() };
    let clock = Arc::new(ManualClock::at(watcher.house.now));
    let (index, hub, store) = (watcher.index.clone(), watcher.hub.clone(), watcher.house.store.clone());
    follow(index, hub, store, clock, &Tasks::default());
    for desk in &mut desks {
        let booked = book(&watcher, desk).await;
        watcher.tell(&[booked]);
    }
    watcher.assert_current().await;
    assert!(watcher.sellers("Lisbon", stay(3, 1)).is_empty());
}

#[tokio::test]
async fn a_moved_hotel_is_found_at_its_new_place() {
    let (watcher, desk) = one_room().await;
    let moved = Hotel { city: "Porto".into(), name: "Casa Nova".into(), ..(*desk.inventory.hotel).clone() };
    assert!(watcher.house.store.update_hotel(&desk.inventory.hotel, &moved).await.unwrap());
    watcher.hub.publish(Notice::Hotel(moved.id));
    watcher.caught_up().await;
    assert_eq!(watcher.sellers("Porto", stay(3, 2)), ["Casa Nova"]);
    assert!(watcher.sellers("Lisbon", stay(3, 2)).is_empty());
    watcher.assert_current().await;
}

#[tokio::test]
async fn a_hotels_new_limits_hold_at_once() {
    let (watcher, desk) = one_room().await;
    assert_eq!(watcher.sellers("Lisbon", stay(100, 5)).len(), 1);
    let stricter = Hotel { max_nights: 4, horizon_nights: 50, ..(*desk.inventory.hotel).clone() };
    watcher.house.store.update_hotel(&desk.inventory.hotel, &stricter).await.unwrap();
    watcher.hub.publish(Notice::Hotel(stricter.id));
    watcher.caught_up().await;
    assert!(watcher.sellers("Lisbon", stay(1, 5)).is_empty());
    assert!(watcher.sellers("Lisbon", stay(47, 4)).is_empty());
    assert_eq!(watcher.sellers("Lisbon", stay(46, 4)).len(), 1);
}

#[tokio::test]
async fn an_unannounced_room_type_is_read_with_its_first_fact() {
    let (watcher, _) = one_room().await;
    let hotel = watcher.house.hotel("Casa Verde", "Braga").await;
    let room_type = watcher.house.room_type(&hotel, 1).await;
    let mut desk = watcher.house.open_desk(room_type.id, innkeeper::lease::Token(1)).await;
    let plan = desk.plan("Flexible", 5_000);
    let entry = desk.decide(innkeeper::domain::Command::SetRatePlan(plan)).unwrap();
    watcher.house.commit(std::slice::from_ref(&entry)).await;
    watcher.tell(&[entry]);
    watcher.caught_up().await;
    assert_eq!(watcher.sellers("Braga", stay(3, 2)), ["Casa Verde"]);
    watcher.assert_current().await;
}

#[tokio::test]
async fn a_hold_that_expires_opens_its_nights_again() {
    let (watcher, mut desk) = one_room().await;
    let held = desk.book(Order { hold: true, ..order(stay(3, 2), 1) });
    let booking = crate::store_contract::fixture::booking(&held);
    watcher.house.commit(std::slice::from_ref(&held)).await;
    watcher.tell(&[held]);
    watcher.caught_up().await;
    assert!(watcher.sellers("Lisbon", stay(3, 2)).is_empty());
    desk.now += jiff::SignedDuration::from_mins(16);
    let expired = desk.act(&booking, innkeeper::domain::Move::Expire);
    watcher.house.commit(std::slice::from_ref(&expired)).await;
    watcher.tell(&[expired]);
    watcher.assert_current().await;
    assert_eq!(watcher.sellers("Lisbon", stay(3, 2)), ["Casa Azul"]);
}

/// A hotel's time zone moves a day back, again and again, while its rooms are booked without a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_zone_that_moves_back_under_load_opens_the_day_that_booking_opens() {
    let house = any().await;
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let mut desks = Vec::new();
    for _ in 0..12 {
        desks.push(house.desk_in(&hotel, 400).await);
    }
    let zone = |name: &str| Hotel { timezone: Zone::parse(name).unwrap(), ..hotel.clone() };
    // Noon of one day in the one zone, and of the next day in the other.
    let [east, west] = ["Pacific/Kiritimati", "Pacific/Pago_Pago"].map(zone);
    assert!(house.store.update_hotel(&hotel, &east).await.unwrap());
    let watcher = Watcher::of(house).await;
    let today = west.today(watcher.house.now);
    assert!(east.today(watcher.house.now) > today);
    for (from, to) in [(&east, &west), (&west, &east), (&east, &west)] {
        assert!(watcher.house.store.update_hotel(from, to).await.unwrap());
        watcher.hub.publish(Notice::Hotel(hotel.id));
        for _ in 0..8 {
            let batch: Vec<_> = desks.iter_mut().map(|desk| desk.book(order(stay(3, 2), 1))).collect();
            watcher.house.commit(&batch).await;
            watcher.tell(&batch);
        }
    }
    watcher.caught_up().await;
    eventually("calendars begin today", async || {
        watcher.index.stock().iter().all(|inventory| inventory.calendar.first() == today)
    })
    .await;
    watcher.assert_current().await;
    let tonight = Stay::new(today, today.tomorrow().unwrap()).unwrap();
    assert_eq!(watcher.sellers("Lisbon", tonight), ["Casa Azul"]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_loses_no_day() {
    let house = any().await;
    let mut desk = house.desk(2).await;
    let clock = Arc::new(ManualClock::at(house.now));
    let watcher = Watcher { house, hub: Hub::default(), index: Index::default() };
    let (index, hub, store) = (watcher.index.clone(), watcher.hub.clone(), watcher.house.store.clone());
    follow(index, hub, store, clock.clone(), &Tasks::default());
    watcher.caught_up().await;
    clock.advance(jiff::SignedDuration::from_hours(240));
    let booked = book(&watcher, &mut desk).await;
    watcher.tell(&[booked]);
    watcher.caught_up().await;
    assert!(watcher.sellers("Lisbon", stay(1, 1)).is_empty());
    clock.set(watcher.house.now);
    eventually("its days are back", async || watcher.sellers("Lisbon", stay(1, 1)) == ["Casa Azul"]).await;
    watcher.assert_current().await;
}

#[tokio::test]
async fn the_horizon_moves_at_midnight() {
    let (watcher, desk) = one_room().await;
    let last = stay(119, 1);
    assert_eq!(watcher.sellers("Lisbon", last).len(), 1);
    let beyond = search("Lisbon", stay(120, 1));
    assert!(watcher.index.search(&beyond, desk.now).offers.is_empty());
    let tomorrow = desk.now + jiff::SignedDuration::from_hours(24);
    assert_eq!(watcher.index.search(&beyond, tomorrow).offers.len(), 1);
    let today = search("Lisbon", stay(0, 1));
    assert_eq!(watcher.index.search(&today, desk.now).offers.len(), 1);
    assert!(watcher.index.search(&today, tomorrow).offers.is_empty());
}

#[tokio::test]
async fn without_the_store_the_last_state_stays() {
    let (watcher, desk) = one_room().await;
    watcher.house.store.close().await.unwrap();
    watcher.hub.publish(Notice::Hotel(desk.inventory.hotel.id));
    assert_eq!(watcher.index.caught_up(watcher.hub.position()).await, Ok(()));
    assert_eq!(watcher.sellers("Lisbon", stay(3, 2)), ["Casa Azul"]);
}

/// Two hotels in Lisbon with a room each.
async fn two_hotels() -> (StoreFixture, [Desk; 2]) {
    let house = any().await;
    let desks = [house.desk(1).await, house.desk(1).await];
    (house, desks)
}

/// Writes a rate plan that cannot be parsed.
async fn spoil(house: &StoreFixture, desk: &Desk) {
    let spoil = format!("UPDATE rate_plans SET policy = '7' WHERE room_type_id = '{}'", desk.id());
    house.place.execute(&spoil).await;
}

#[tokio::test]
async fn an_unreadable_row_affects_its_hotel_only() {
    let (house, [broken, mut sound]) = two_hotels().await;
    let watcher = Watcher::of(house).await;
    spoil(&watcher.house, &broken).await;
    watcher.hub.publish(Notice::Hotel(broken.inventory.hotel.id));
    let booked = book(&watcher, &mut sound).await;
    watcher.tell(&[booked]);
    watcher.caught_up().await;
    assert_eq!(watcher.offering(stay(3, 2)), [broken.inventory.hotel.id]);
}

#[tokio::test]
async fn an_unreadable_room_type_does_not_hide_others() {
    let house = any().await;
    let broken = house.desk(1).await;
    let watcher = Watcher::of(house).await;
    spoil(&watcher.house, &broken).await;
    let sound = watcher.house.desk_in(&broken.inventory.hotel, 1).await;
    watcher.hub.publish(Notice::Hotel(broken.inventory.hotel.id));
    watcher.caught_up().await;
    assert!(watcher.index.sequence(sound.id()).is_some());
}

#[tokio::test]
async fn an_unreadable_hotel_does_not_stop_the_build() {
    let (house, [broken, sound]) = two_hotels().await;
    let id = broken.inventory.hotel.id;
    house.place.execute(&format!("UPDATE hotels SET timezone = 'Nowhere' WHERE id = '{id}'")).await;
    let watcher = Watcher::of(house).await;
    assert_eq!(watcher.offering(stay(3, 2)), [sound.inventory.hotel.id]);
}

#[tokio::test]
async fn an_unreadable_row_does_not_stop_the_build() {
    let (house, [broken, sound]) = two_hotels().await;
    spoil(&house, &broken).await;
    let watcher = Watcher::of(house).await;
    assert_eq!(watcher.offering(stay(3, 2)), [sound.inventory.hotel.id]);
}

/// A clock that cannot be read a hundred times. Returns the times of the attempts.
#[derive(Default)]
struct Broken(Mutex<Vec<Instant>>);

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.push(Instant::now());
        assert!(tried.len() >= 100, "a mistake of the program");
        Timestamp::UNIX_EPOCH
    }
}

#[tokio::test]
async fn a_repeated_failure_does_not_busy_the_machine() {
    let (house, clock) = (any().await, Arc::new(Broken::default()));
    // From here on time stands still while any task runs.
    tokio::time::pause();
    let tasks = Tasks::default();
    follow(Index::default(), Hub::default(), house.store.clone(), clock.clone(), &tasks);
    tokio::time::sleep(Duration::from_secs(20)).await;
    tasks.abandon();
    let tried = clock.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(tried.len() >= 3, "it is tried again");
    assert!(tried.windows(2).all(|two| two[1] - two[0] >= Duration::from_secs(1)), "{tried:?}");
}

//! The follower of commits, without a network: gaps, overload, slow readers, and subscriptions at any moment.

use std::sync::Arc;

use innkeeper::clock::{Clock, ManualClock};
use innkeeper::domain::nights_change::Patch;
use innkeeper::domain::{Command, Hotel, HotelId, NightsChange, RoomTypeId};
use innkeeper::events::mailbox::{Due, ROOM};
use innkeeper::events::update::{Change, Snapshot};
use innkeeper::events::{BACKLOG, Error, Hub, Live, News, Notice, Sources, Subscriber, Update, Window};
use innkeeper::store::CommitEntry;
use innkeeper::tasks::Tasks;

use crate::store_contract::fixture::{self, Desk, StoreFixture, day, order, stay};
use crate::support::eventually::PATIENCE;
use crate::support::unreliable_journal::Unreliable;

/// A store, its hub and a follower.
struct Follower {
    house: StoreFixture,
    desk: Desk,
    hub: Hub,
    live: Live,
    journal: Arc<Unreliable>,
    clock: Arc<ManualClock>,
}

impl Follower {
    async fn new() -> Self {
        let house = fixture::any().await;
        let desk = house.desk(9_000).await;
        let hub = Hub::default();
        let clock = Arc::new(ManualClock::at(house.now));
        let journal = Arc::new(Unreliable::new(house.store.clone()));
        let sources = Sources { journal: journal.clone(), feed: house.store.clone(), clock: clock.clone() };
        let live = Live::start(&hub, sources, 2, &Tasks::default());
        Self { house, desk, hub, live, journal, clock }
    }

    /// Commits a booking of the night after today without publishing it.
    async fn book(&mut self) -> CommitEntry {
        let entry = self.desk.book(order(stay(1, 1), 1));
        self.house.commit(std::slice::from_ref(&entry)).await;
        entry
    }

    fn publish(&self, entry: &CommitEntry) {
        self.hub.publish(Notice::Committed([(entry.room_type, entry.fact.clone())].into()));
    }

    /// Publishes so much that the oldest notice is lost, if no subscriber has read it.
    fn crowd(&self) {
        let unknown = HotelId(uuid::Uuid::nil());
        (0..BACKLOG).for_each(|_| self.hub.publish(Notice::Hotel(unknown)));
    }

    async fn subscriber(&self) -> Subscriber {
        let mut subscriber = self.live.subscriber();
        subscriber.watch(self.desk.id(), Window { from: day(0), to: day(5) }, None).await.unwrap();
        subscriber
    }
}

async fn news(subscriber: &Subscriber) -> News {
    tokio::time::timeout(PATIENCE, subscriber.news()).await.expect("nothing is heard")
}

async fn snapshot(subscriber: &Subscriber) -> (Due, Snapshot) {
    let News::Due(slot, due) = news(subscriber).await else { panic!("not due") };
    match subscriber.updates(slot, due).await.unwrap().pop() {
        Some(Update::Snapshot(shared)) => {
            let Snapshot { room_type, currency, sequence, from, conflated, .. } = *shared.value();
            (due, Snapshot { room_type, currency, sequence, from, nights: shared.value().nights.clone(), conflated })
        }
        other => panic!("{other:?}"),
    }
}

async fn change(subscriber: &Subscriber) -> (u64, u16) {
    match news(subscriber).await {
        News::Change(shared) => {
            let Change { sequence, nights, .. } = shared.value();
            (*sequence, nights[0].sold)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missed_fact_is_noticed_at_the_next_one() {
    let mut follower = Follower::new().await;
    let subscriber = follower.subscriber().await;
    assert_eq!(snapshot(&subscriber).await.1.sequence, 1);
    follower.book().await;
    let told = follower.book().await;
    follower.publish(&told);
    let (due, after) = snapshot(&subscriber).await;
    assert_eq!((due, after.sequence, after.conflated), (Due::Snapshot, 3, false));
    assert_eq!(after.nights[1].counts.sold, 2);
}

#[tokio::test]
async fn a_change_in_the_snapshot_is_not_sent_again() {
    let mut follower = Follower::new().await;
    let early = follower.book().await;
    let subscriber = follower.subscriber().await;
    assert_eq!(snapshot(&subscriber).await.1.sequence, 2);
    follower.publish(&early);
    let late = follower.book().await;
    follower.publish(&late);
    assert_eq!(change(&subscriber).await, (3, 2));
}

/// Publishes something while the store is read, after the read of the rows.
async fn while_it_is_read(follower: &mut Follower, publish: impl AsyncFnOnce(&mut Follower)) -> Subscriber {
    follower.journal.next_load_hangs();
    let (live, id) = (follower.live.clone(), follower.desk.id());
    let subscribing = tokio::spawn(async move {
        let mut subscriber = live.subscriber();
        subscriber.watch(id, Window { from: day(0), to: day(5) }, None).await.unwrap();
        subscriber
    });
    follower.journal.hangs().await;
    publish(follower).await;
    // One thread: a woken task runs before this one continues.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    follower.journal.release();
    tokio::time::timeout(PATIENCE, subscribing).await.expect("it is read again").unwrap()
}

#[tokio::test]
async fn a_fact_during_a_read_of_the_store_is_not_lost() {
    let mut follower = Follower::new().await;
    let publish = async |follower: &mut Follower| {
        let entry = follower.book().await;
        follower.publish(&entry);
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    assert_eq!(snapshot(&subscriber).await.1.sequence, 2);
}

#[tokio::test]
async fn facts_during_a_read_need_no_second_read() {
    let mut follower = Follower::new().await;
    let publish = async |follower: &mut Follower| {
        follower.journal.next_load_hangs();
        for _ in 0..3 {
            let entry = follower.book().await;
            follower.publish(&entry);
        }
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    let (_, loaded) = snapshot(&subscriber).await;
    assert_eq!((loaded.sequence, loaded.nights[1].counts.sold), (4, 3));
}

#[tokio::test]
async fn too_many_facts_during_a_read_need_a_second_read() {
    let mut follower = Follower::new().await;
    let count = ROOM as u64 + 10;
    let publish = async |follower: &mut Follower| {
        for _ in 0..count {
            let entry = follower.book().await;
            follower.publish(&entry);
        }
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    assert_eq!(snapshot(&subscriber).await.1.sequence, 1 + count);
}

#[tokio::test]
async fn a_hotel_that_changes_while_the_store_is_read_is_shown_as_it_is_now() {
    let mut follower = Follower::new().await;
    let publish = async |follower: &mut Follower| {
        let room_type = follower.house.store.room_type(follower.desk.id()).await.unwrap().unwrap();
        let seen = follower.house.store.hotel(room_type.hotel_id).await.unwrap().unwrap();
        let shorter = Hotel { horizon_nights: 2, ..seen.clone() };
        assert!(follower.house.store.update_hotel(&seen, &shorter).await.unwrap());
        follower.hub.publish(Notice::Hotel(seen.id));
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    assert_eq!(snapshot(&subscriber).await.1.nights.len(), 2);
}

#[tokio::test]
async fn other_hotels_that_change_while_the_store_is_read_do_not_matter() {
    let mut follower = Follower::new().await;
    let publish = async |follower: &mut Follower| {
        follower.journal.next_load_hangs();
        follower.hub.publish(Notice::Hotel(HotelId(uuid::Uuid::nil())));
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    assert_eq!(snapshot(&subscriber).await.1.nights.len(), 5);
}

#[tokio::test]
async fn falling_behind_during_a_read_loses_nothing() {
    let mut follower = Follower::new().await;
    let publish = async |follower: &mut Follower| {
        let entry = follower.book().await;
        follower.publish(&entry);
        follower.crowd();
    };
    let subscriber = while_it_is_read(&mut follower, publish).await;
    assert_eq!(snapshot(&subscriber).await.1.sequence, 2);
}

#[tokio::test]
async fn a_follower_that_falls_behind_reloads() {
    let mut follower = Follower::new().await;
    let subscriber = follower.subscriber().await;
    snapshot(&subscriber).await;
    let last = follower.book().await;
    // One thread: the follower runs only after all of these are published.
    follower.publish(&last);
    follower.crowd();
    assert_eq!(snapshot(&subscriber).await.1.sequence, 2);
}

#[tokio::test]
async fn a_slow_reader_gets_the_newest_state_only() {
    let mut follower = Follower::new().await;
    let (slow, quick) = (follower.subscriber().await, follower.subscriber().await);
    snapshot(&slow).await;
    snapshot(&quick).await;
    let count = ROOM as u64 + 10;
    for sequence in 2..2 + count {
        let entry = follower.book().await;
        follower.publish(&entry);
        assert_eq!(change(&quick).await.0, sequence);
    }
    let (due, newest) = snapshot(&slow).await;
    assert_eq!((due, newest.conflated, newest.sequence), (Due::Conflated, true, 1 + count));
    assert_eq!(u64::from(newest.nights[1].counts.sold), count);
    let entry = follower.book().await;
    follower.publish(&entry);
    assert_eq!(change(&slow).await.0, 2 + count);
}

#[tokio::test]
async fn prices_are_reloaded_only_where_they_are_watched() {
    let mut follower = Follower::new().await;
    let subscriber = follower.subscriber().await;
    snapshot(&subscriber).await;
    let physical = Patch::Set(9);
    for (from, to) in [(day(7), day(9)), (day(3), day(9))] {
        let nights = NightsChange::untouched(from, to);
        let command = Command::SetNights(NightsChange { physical, ..nights });
        let entry = follower.desk.decide(command).unwrap();
        follower.house.commit(std::slice::from_ref(&entry)).await;
        follower.publish(&entry);
    }
    let (_, redrawn) = snapshot(&subscriber).await;
    let physical: Vec<_> = redrawn.nights.iter().map(|night| night.physical).collect();
    assert_eq!((redrawn.sequence, physical), (3, vec![9_000, 9_000, 9_000, 9, 9]));
    let entry = follower.book().await;
    follower.publish(&entry);
    assert_eq!(change(&subscriber).await.0, 4);
}

#[tokio::test]
async fn a_projection_of_yesterday_is_reloaded_today() {
    let follower = Follower::new().await;
    let early = follower.subscriber().await;
    assert_eq!(snapshot(&early).await.1.from, day(0));
    follower.clock.advance(jiff::SignedDuration::from_hours(24));
    let late = follower.subscriber().await;
    let (_, redrawn) = snapshot(&late).await;
    assert_eq!((redrawn.from, redrawn.nights.len()), (day(1), 4));
}

#[tokio::test]
async fn a_projection_recovers_after_the_clock_was_ahead() {
    let mut follower = Follower::new().await;
    let early = follower.subscriber().await;
    assert_eq!(snapshot(&early).await.1.from, day(0));
    let now = follower.clock.now();
    follower.clock.advance(jiff::SignedDuration::from_hours(24));
    let late = follower.subscriber().await;
    assert_eq!(snapshot(&late).await.1.from, day(1));
    follower.clock.set(now);
    // A new reader gets the nights of today, and the others get them with the next fact at the latest.
    let newcomer = follower.subscriber().await;
    assert_eq!(snapshot(&newcomer).await.1.from, day(0));
    let entry = follower.book().await;
    follower.publish(&entry);
    assert_eq!(snapshot(&late).await.1.from, day(0));
}

#[tokio::test]
async fn a_room_type_is_unloaded_with_its_last_reader() {
    let follower = Follower::new().await;
    let (one, two) = (follower.subscriber().await, follower.subscriber().await);
    assert_eq!(follower.live.watched(), 1);
    drop(one);
    assert_eq!(follower.live.watched(), 1);
    drop(two);
    assert_eq!(follower.live.watched(), 0);
}

#[tokio::test]
async fn an_unknown_room_type_leaves_nothing_behind() {
    let follower = Follower::new().await;
    let mut subscriber = follower.live.subscriber();
    let unknown = RoomTypeId(uuid::Uuid::nil());
    let window = Window { from: day(0), to: day(5) };
    assert!(matches!(subscriber.watch(unknown, window, None).await, Err(Error::NoSuchRoomType)));
    assert_eq!((subscriber.watched(), follower.live.watched()), (0, 0));
}

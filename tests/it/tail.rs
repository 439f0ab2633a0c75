//! Dashboards and search of a node follow the commits of another node: two hubs on one store, with wake-ups between
//! them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use innkeeper::clock::ManualClock;
use innkeeper::domain::{Fact, Hotel, HotelId, RoomTypeId};
use innkeeper::events::tail::RemoteChanges;
use innkeeper::events::wake::announce;
use innkeeper::events::{Hub, Listener, Live, News, Notice, Received, Sources, Subscriber, Tail, Update, Wake, Window};
use innkeeper::lease::Token;
use innkeeper::search::{Index, Search, SearchArea, Sort, follow};
use innkeeper::store::CommitEntry;
use innkeeper::tasks::Tasks;
use tokio::sync::Notify;

use crate::store_contract::fixture::{self, Desk, StoreFixture, day, order, stay};
use crate::support::eventually::PATIENCE;

/// The part of a node that follows.
struct Node {
    hub: Hub,
    index: Index,
    live: Live,
    listener: Listener,
    /// Hotels whose actors had to reload.
    renewed: Arc<Mutex<Vec<HotelId>>>,
}

/// The wake-ups from one node to the other.
struct Bell {
    own: Arc<Notify>,
    other: Arc<Notify>,
    is_cut: Arc<AtomicBool>,
}

#[async_trait]
impl Wake for Bell {
    async fn ring(&self) {
        if !self.is_cut.load(Ordering::SeqCst) {
            self.other.notify_one();
        }
    }

    async fn rung(&self) {
        self.own.notified().await;
    }
}

/// The actors and the search index of a node, which follow changes of hotels.
struct Staff {
    hub: Hub,
    renewed: Arc<Mutex<Vec<HotelId>>>,
}

#[async_trait]
impl RemoteChanges for Staff {
    async fn hotel_changed_elsewhere(&self, hotel: HotelId) {
        self.renewed.lock().unwrap().push(hotel);
        self.hub.relay(Notice::Hotel(hotel));
    }

    fn history_advanced(&self, _: RoomTypeId, _: u64) {}
}

/// Two nodes on one store.
struct Pair {
    house: StoreFixture,
    a: Node,
    b: Node,
    is_cut: Arc<AtomicBool>,
}

impl Pair {
    async fn new() -> Self {
        Self::of(fixture::any().await).await
    }

    async fn of(house: StoreFixture) -> Self {
        let (pair, tails) = Self::halted(house).await;
        begin(tails);
        pair
    }

    /// Nodes that have started and do not follow each other yet.
    async fn halted(house: StoreFixture) -> (Self, [Tail; 2]) {
        // Earlier events are skipped, because a feed that is behind would send them.
        house.settled().await;
        let (one, two, is_cut) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let bell = |own: &Arc<Notify>, other: &Arc<Notify>| {
            Arc::new(Bell { own: own.clone(), other: other.clone(), is_cut: is_cut.clone() })
        };
        let (a, first) = Node::new(&house, bell(&one, &two)).await;
        let (b, second) = Node::new(&house, bell(&two, &one)).await;
        (Self { house, a, b, is_cut }, [first, second])
    }

    /// Books the only night of the test at a node.
    async fn book(&self, node: &Node, desk: &mut Desk) -> CommitEntry {
        let entry = desk.book(order(stay(1, 1), 1));
        self.house.commit(std::slice::from_ref(&entry)).await;
        let facts: Arc<[(RoomTypeId, Arc<Fact>)]> = [(entry.room_type, entry.fact.clone())].into();
        node.hub.publish(Notice::Committed(facts));
        entry
    }
}

fn begin(tails: [Tail; 2]) {
    for tail in tails {
        tail.follow(&Tasks::default());
    }
}

impl Node {
    async fn new(house: &StoreFixture, wake: Arc<dyn Wake>) -> (Self, Tail) {
        let (hub, renewed, clock) = (Hub::default(), Arc::default(), Arc::new(ManualClock::at(house.now)));
        let staff = Arc::new(Staff { hub: hub.clone(), renewed: Arc::clone(&renewed) });
        let tail = Tail::begin(house.store.clone(), hub.clone(), wake.clone(), staff).await.unwrap();
        let tasks = Tasks::default();
        announce(hub.clone(), wake, &tasks);
        let sources = Sources { journal: house.store.clone(), feed: house.store.clone(), clock: clock.clone() };
        let live = Live::start(&hub, sources, 10, &tasks);
        let index = Index::default();
        follow(index.clone(), hub.clone(), house.store.clone(), clock, &tasks);
        index.reached(0).await;
        let listener = hub.listen();
        (Self { hub, index, live, listener, renewed }, tail)
    }

    async fn watch(&self, desk: &Desk) -> Dashboard {
        let mut subscriber = self.live.subscriber();
        subscriber.watch(desk.id(), Window { from: day(1), to: day(2) }, None).await.unwrap();
        let mut dashboard = Dashboard { subscriber, sequence: 0, sold: 0, redrawn: 0 };
        dashboard.next().await;
        dashboard
    }

    /// Waits until the hub has published something and the index has followed.
    async fn heard(&mut self, mut is_it: impl FnMut(&Notice) -> bool) {
        let listener = &mut self.listener;
        let heard = async {
            loop {
                match listener.next().await {
                    Received::Notice(notice) if is_it(&notice) => return,
                    Received::Closed => panic!("the hub is closed"),
                    Received::Notice(_) | Received::Lagged(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("the notice never arrives");
        self.index.reached(self.listener.position()).await;
    }

    async fn heard_of(&mut self, entry: &CommitEntry) {
        let is_it = |notice: &Notice| {
            notice.steps().any(|(id, step)| id == entry.room_type && step.sequence == entry.fact.sequence)
        };
        self.heard(is_it).await;
    }

    /// Names of the hotels of a city with a room for the night.
    fn sellers(&self, house: &StoreFixture, city: &str) -> Vec<String> {
        let (place, party) = (SearchArea::City(city.into()), innkeeper::domain::Party { adults: 1, children: 0 });
        let search = Search { place, stay: stay(1, 1), party, rooms: 1, sort: Sort::Price, after: None, limit: 9 };
        self.index.search(&search, house.now).offers.into_iter().map(|offer| offer.hotel.name.clone()).collect()
    }
}

/// A subscriber of the night, which checks that every change arrives in order.
struct Dashboard {
    subscriber: Subscriber,
    sequence: u64,
    sold: u16,
    redrawn: usize,
}

impl Dashboard {
    async fn next(&mut self) {
        let news = tokio::time::timeout(PATIENCE, self.subscriber.news()).await.expect("no frame arrives");
        match news {
            News::Change(shared) => {
                assert_eq!(shared.value().sequence, self.sequence + 1, "a change is the next one");
                (self.sequence, self.sold) = (shared.value().sequence, shared.value().nights[0].sold);
            }
            News::Due(slot, due) => {
                for update in self.subscriber.updates(slot, due).await.unwrap() {
                    let Update::Snapshot(shared) = update else { panic!("{update:?}") };
                    assert!(shared.value().sequence >= self.sequence, "a snapshot is not older than the last change");
                    (self.sequence, self.sold) = (shared.value().sequence, shared.value().nights[0].counts.sold);
                    self.redrawn += 1;
                }
            }
            News::Hotel(_) => {}
        }
    }

    /// Follows until a step arrives.
    async fn reaches(&mut self, entry: &CommitEntry) {
        while self.sequence < entry.fact.sequence {
            self.next().await;
        }
    }
}

#[tokio::test]
async fn dashboards_and_searches_follow_the_commits_of_another_node_step_by_step() {
    let house = fixture::any().await;
    let mut desk = house.desk(3).await;
    let mut pair = Pair::of(house).await;
    let mut dashboard = pair.b.watch(&desk).await;
    assert_eq!(pair.b.sellers(&pair.house, "Lisbon"), ["Casa Azul"]);
    for sold in 1..=3 {
        let booked = pair.book(&pair.a, &mut desk).await;
        pair.b.heard_of(&booked).await;
        dashboard.reaches(&booked).await;
        assert_eq!((dashboard.sold, dashboard.redrawn), (sold, 1));
    }
    assert!(pair.b.sellers(&pair.house, "Lisbon").is_empty());
    assert_eq!(pair.b.index.sequence(desk.id()), Some(4));
}

#[tokio::test]
async fn a_lost_wake_up_is_only_a_delay() {
    let house = fixture::any().await;
    let mut desk = house.desk(3).await;
    let mut pair = Pair::of(house).await;
    let mut dashboard = pair.b.watch(&desk).await;
    pair.is_cut.store(true, Ordering::SeqCst);
    pair.book(&pair.a, &mut desk).await;
    let booked = pair.book(&pair.a, &mut desk).await;
    pair.b.heard_of(&booked).await;
    dashboard.reaches(&booked).await;
    assert_eq!((dashboard.sold, dashboard.redrawn), (2, 1));
}

#[tokio::test]
async fn a_room_type_that_goes_to_another_node_and_comes_back_is_followed_on_both() {
    let house = fixture::any().await;
    let mut desk = house.desk(90).await;
    let mut pair = Pair::of(house).await;
    let (mut one, mut two) = (pair.a.watch(&desk).await, pair.b.watch(&desk).await);
    let mut last = None;
    for token in 2..8 {
        desk = pair.house.open_desk(desk.id(), Token(token)).await;
        let owner = if token % 2 == 0 { &pair.b } else { &pair.a };
        for _ in 0..3 {
            last = Some(pair.book(owner, &mut desk).await);
        }
    }
    let last = last.unwrap();
    for (node, dashboard) in [(&mut pair.a, &mut one), (&mut pair.b, &mut two)] {
        dashboard.reaches(&last).await;
        assert_eq!(dashboard.sold, 18);
        node.heard_of(&last).await;
        assert_eq!(node.index.sequence(desk.id()), Some(19));
    }
}

#[tokio::test]
async fn own_events_in_the_feed_change_nothing() {
    let house = fixture::any().await;
    let mut desk = house.desk(3).await;
    let mut pair = Pair::of(house).await;
    let mut dashboard = pair.a.watch(&desk).await;
    let booked = pair.book(&pair.a, &mut desk).await;
    let is_history = |notice: &Notice| matches!(notice, Notice::History(events) if events.last().unwrap().sequence == booked.fact.sequence);
    pair.a.heard(is_history).await;
    let next = pair.book(&pair.a, &mut desk).await;
    dashboard.reaches(&next).await;
    assert_eq!((dashboard.sold, dashboard.redrawn), (2, 1));
}

#[tokio::test]
async fn hotels_of_another_node_are_found() {
    let mut pair = Pair::new().await;
    let hotel = pair.house.hotel("Casa Verde", "Braga").await;
    let mut desk = pair.house.desk_in(&hotel, 3).await;
    let booked = pair.book(&pair.a, &mut desk).await;
    pair.b.heard_of(&booked).await;
    assert_eq!(pair.b.sellers(&pair.house, "Braga"), ["Casa Verde"]);

    pair.b.renewed.lock().unwrap().clear();
    let moved = Hotel { city: "Porto".into(), ..hotel.clone() };
    assert!(pair.house.store.update_hotel(&hotel, &moved).await.unwrap());
    pair.a.hub.publish(Notice::Hotel(hotel.id));
    let renewed = pair.b.renewed.clone();
    pair.b.heard(|notice| matches!(notice, Notice::Hotel(_)) && !renewed.lock().unwrap().is_empty()).await;
    assert_eq!(pair.b.sellers(&pair.house, "Porto"), ["Casa Verde"]);
    assert!(pair.b.sellers(&pair.house, "Braga").is_empty());
}

#[tokio::test]
async fn a_deleted_history_is_replaced_by_a_read_of_the_store() {
    let house = fixture::any().await;
    let mut desk = house.desk(3).await;
    let (mut pair, tails) = Pair::halted(house).await;
    let mut dashboard = pair.b.watch(&desk).await;
    for _ in 0..3 {
        pair.book(&pair.a, &mut desk).await;
    }
    pair.house.settled().await;
    let much_later = pair.house.now + jiff::SignedDuration::from_hours(10_000);
    while pair.house.store.trim_events(much_later, 100).await.unwrap() > 0 {}
    begin(tails);
    pair.b.heard(|notice| matches!(notice, Notice::Lost)).await;
    assert!(pair.b.sellers(&pair.house, "Lisbon").is_empty());
    while dashboard.sold < 3 {
        dashboard.next().await;
    }
    assert_eq!(dashboard.redrawn, 2);
}

#[tokio::test]
async fn an_unreadable_event_is_replaced_by_a_read_of_the_store() {
    let house = fixture::any().await;
    let mut desk = house.desk(9).await;
    let (mut pair, tails) = Pair::halted(house).await;
    let mut dashboard = pair.b.watch(&desk).await;
    let broken = pair.book(&pair.a, &mut desk).await;
    let spoil = format!("UPDATE events SET payload = '7' WHERE sequence = {}", broken.fact.sequence);
    pair.house.place.execute(&spoil).await;
    pair.house.settled().await;
    begin(tails);
    pair.b.heard(|notice| matches!(notice, Notice::Lost)).await;
    assert_eq!(pair.b.index.sequence(desk.id()), Some(broken.fact.sequence));
    let next = pair.book(&pair.a, &mut desk).await;
    dashboard.reaches(&next).await;
    assert_eq!(dashboard.sold, 2);
}

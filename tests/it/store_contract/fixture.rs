//! Fixtures: a hotel in an empty store, and a desk per room type that decides like an actor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use innkeeper::domain::testing::{day, stay};
use innkeeper::domain::{
    Amount, Booking, BookingId, Command, Email, FactId, Hotel, HotelId, Inventory, Move, Order, RatePlan, RatePlanId,
    Refusal, RoomType, RoomTypeId, Stay, Timestamp, job, testing,
};
use innkeeper::lease::Token;
use innkeeper::store::{Answer, Claim, CommitEntry, Fingerprint, IdempotencyRecord, KeyDigest, Store, Verdict};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::support::test_database::TestDatabase;

/// A SQLite file.
pub async fn sqlite() -> StoreFixture {
    StoreFixture::at(TestDatabase::sqlite()).await
}

/// A PostgreSQL database.
pub async fn postgres() -> StoreFixture {
    StoreFixture::at(TestDatabase::postgres()).await
}

/// The kind of database of this test run.
pub async fn any() -> StoreFixture {
    StoreFixture::at(TestDatabase::new()).await
}

/// A store and its contents. Ids count up; the clock stands still.
pub struct StoreFixture {
    pub store: Arc<dyn Store>,
    pub now: Timestamp,
    ids: Arc<AtomicU64>,
    /// The database; removed with the fixture.
    pub place: TestDatabase,
}

impl StoreFixture {
    /// A new store, or one that is opened again.
    pub async fn at(place: TestDatabase) -> Self {
        Self { store: place.store().await, now: testing::noon(0), ids: Arc::default(), place }
    }

    /// Waits until the feed shows everything committed so far.
    pub async fn settled(&self) {
        self.place.settled().await;
    }

    pub fn id(&self) -> Uuid {
        next(&self.ids)
    }

    pub async fn hotel(&self, name: &str, city: &str) -> Hotel {
        let (id, name, city) = (HotelId(self.id()), name.into(), city.into());
        let hotel = Hotel { id, name, city, horizon_nights: 120, ..testing::hotel() };
        self.store.insert_hotel(&hotel).await.unwrap();
        hotel
    }

    pub async fn room_type(&self, hotel: &Hotel, rooms: u16) -> RoomType {
        let (id, hotel_id) = (RoomTypeId(self.id()), hotel.id);
        let room_type = RoomType { id, hotel_id, ..testing::room_type(rooms) };
        self.store.insert_room_type(&room_type).await.unwrap();
        room_type
    }

    /// The owner of a new room type in a hotel, with a committed rate plan.
    pub async fn desk_in(&self, hotel: &Hotel, rooms: u16) -> Desk {
        let room_type = self.room_type(hotel, rooms).await;
        let mut desk = self.open_desk(room_type.id, Token(1)).await;
        let plan = desk.plan("Flexible", 10_000);
        let entry = desk.decide(Command::SetRatePlan(plan)).unwrap();
        self.store.commit(&[entry]).await.unwrap();
        desk
    }

    pub async fn desk(&self, rooms: u16) -> Desk {
        let hotel = self.hotel("Casa Azul", "Lisbon").await;
        self.desk_in(&hotel, rooms).await
    }

    /// Claims a room type and loads it.
    pub async fn open_desk(&self, room_type: RoomTypeId, token: Token) -> Desk {
        assert_eq!(self.store.claim(room_type, token).await.unwrap(), Claim::Granted);
        let inventory = self.store.load(room_type, self.now).await.unwrap().unwrap();
        Desk { inventory, token, now: self.now, ids: self.ids.clone() }
    }

    pub async fn commit(&self, batch: &[CommitEntry]) -> Vec<Verdict> {
        self.store.commit(batch).await.unwrap()
    }

    /// Recounts a room type: there is no difference.
    pub async fn assert_sound(&self, room_type: RoomTypeId) {
        let evidence = self.store.evidence(room_type).await.unwrap();
        let differences = innkeeper::store::audit::recount(&evidence);
        assert!(differences.is_empty(), "{differences:?}");
    }
}

fn next(ids: &AtomicU64) -> Uuid {
    Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::Relaxed)) + 1)
}

/// Decides about one room type and applies its decisions, like an actor.
#[derive(Clone)]
pub struct Desk {
    pub inventory: Inventory,
    pub token: Token,
    pub now: Timestamp,
    ids: Arc<AtomicU64>,
}

impl Desk {
    pub fn id(&self) -> RoomTypeId {
        self.inventory.room_type.id
    }

    pub fn decide(&mut self, command: Command) -> Result<CommitEntry, Refusal> {
        let fact = Arc::new(self.inventory.decide(command, FactId(next(&self.ids)), self.now)?);
        self.inventory.apply(&fact);
        let (room_type, jobs) = (self.id(), job::caused_by(&fact));
        Ok(CommitEntry { room_type, token: self.token, fact, record: None, jobs, answer_only: false })
    }

    pub fn fresh_id(&self) -> Uuid {
        next(&self.ids)
    }

    pub fn book(&mut self, order: Order) -> CommitEntry {
        let hold_until = self.now + SignedDuration::from_mins(15);
        let id = BookingId(next(&self.ids));
        self.decide(Command::Book { id, order, hold_until }).unwrap()
    }

    pub fn act(&mut self, booking: &Arc<Booking>, act: Move) -> CommitEntry {
        self.decide(Command::Move { booking: booking.clone(), act, expected: None }).unwrap()
    }

    pub fn plan(&self, name: &str, price: i64) -> RatePlan {
        let (id, name) = (RatePlanId(next(&self.ids)), name.into());
        RatePlan { id, room_type_id: self.id(), name, ..testing::plan(1, Amount(price)) }
    }
}

/// The booking of an entry, as it is afterwards.
pub fn booking(entry: &CommitEntry) -> Arc<Booking> {
    entry.fact.change.booking().unwrap().clone()
}

/// An order with every optional member, for an adult in each room and a child.
pub fn order(stay: Stay, rooms: u16) -> Order {
    let ages: Vec<u8> = std::iter::repeat_n(34, rooms.into()).chain([6]).collect();
    let mut order = Order { guests: testing::guests(&ages), ..testing::order(stay, rooms) };
    order.contact.email = Some(Email::parse("Ana@example.com").unwrap());
    order.external_reference = Some("OTA-77".into());
    order
}

/// The same entry with an idempotency record that lives for a day.
pub fn keyed(mut entry: CommitEntry, key: u8) -> CommitEntry {
    let expires_at = entry.fact.at + SignedDuration::from_hours(24);
    let answer = Answer::Booking(booking(&entry));
    let record = IdempotencyRecord { fingerprint: Fingerprint([9; 32]), answer, expires_at };
    entry.record = Some((KeyDigest([key; 32]), record));
    entry
}

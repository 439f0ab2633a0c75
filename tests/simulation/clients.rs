//! The clients of a simulation: their requests, and a record of every request with its answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use innkeeper::clock::Clock;
use innkeeper::domain::nights_change::{Patch, RestrictionPatch};
use innkeeper::domain::testing::{guests, nights_change, order, stay};
use innkeeper::domain::{
    Amendment, Amount, Booking, BookingId, CalendarView, Date, Move, NightsChange, Order, RatePlanId, RoomType,
    RoomTypeId, Timestamp,
};
use innkeeper::engine::{BookingOutcome, Engine, Error, Key, MoveOptions, NightsOutcome};
use innkeeper::store::{Fingerprint, KeyDigest};
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::dice::{Dice, SimulatedClock};
use crate::leases::Table;
use crate::memory_journal::MemoryJournal;

/// A request of a client.
#[derive(Debug, Clone)]
pub enum Wish {
    Book(Order),
    Act { booking: BookingId, act: Move, expected: Option<u64>, dry_run: bool },
    SetNights(NightsChange),
    SetRooms(RoomType),
    View(Date, Date),
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub enum Answer {
    Booking(BookingOutcome),
    Nights(NightsOutcome),
    Sequence(u64),
    View(CalendarView),
}

/// One request and its answer.
#[derive(Debug)]
pub struct Record {
    pub room_type: RoomTypeId,
    pub wish: Wish,
    pub key: Option<Key>,
    /// The number of committed facts and the time, at the request and at the answer.
    pub facts: (u64, u64),
    pub time: (Timestamp, Timestamp),
    /// The same by the timers, which no fault moves: the time since the beginning.
    pub moments: (Duration, Duration),
    pub answer: Result<Answer, Error>,
}

/// Shared by all clients.
pub struct Desk {
    /// The nodes. All use the same journal.
    pub engines: Vec<Engine>,
    /// The owners, if the nodes have leases.
    leases: Option<Arc<Table>>,
    pub journal: Arc<MemoryJournal>,
    pub clock: Arc<SimulatedClock>,
    pub dice: Arc<Dice>,
    pub records: RefCell<Vec<Record>>,
    pub room_types: Vec<RoomType>,
    pub plan: fn(RoomTypeId) -> RatePlanId,
    known: RefCell<Vec<Arc<Booking>>>,
    /// Requests with a key, for clients that repeat a request.
    keyed: RefCell<Vec<(RoomTypeId, Wish, Key)>>,
    asked: RefCell<u64>,
    began: Instant,
}

impl Desk {
    pub fn new(
        engines: Vec<Engine>,
        leases: Option<Arc<Table>>,
        journal: Arc<MemoryJournal>,
        clock: Arc<SimulatedClock>,
        dice: Arc<Dice>,
        room_types: Vec<RoomType>,
        plan: fn(RoomTypeId) -> RatePlanId,
    ) -> Rc<Self> {
        let (records, known, keyed, asked) = Default::default();
        let began = Instant::now();
        Rc::new(Self { engines, leases, journal, clock, dice, records, room_types, plan, known, keyed, asked, began })
    }

    /// A client with a number of requests, one after the other.
    pub async fn client(self: Rc<Self>, wishes: usize) {
        for _ in 0..wishes {
            self.dice.nap(60).await;
            if self.dice.chance(3) {
                self.let_time_pass().await;
            }
            let (room_type, wish, key) = self.next_wish();
            let mut patience = self.dice.below(4);
            loop {
                let engine = &self.engines[self.dice.below(self.engines.len())];
                let failed = self.ask(engine, room_type, wish.clone(), key).await;
                if patience == 0 || key.is_none() || !failed {
                    break;
                }
                patience -= 1;
                self.dice.nap(100).await;
            }
        }
    }

    /// Minutes or days pass: in the timers, or only on the wall clock.
    async fn let_time_pass(&self) {
        let minutes = match self.dice.chance(70) {
            true => self.dice.between(1, 30),
            false => self.dice.between(60, 2_000),
        };
        // Leases are renewed all the time, so no pause is long.
        match self.dice.is_restless() || (self.leases.is_some() && minutes > 30) || self.dice.chance(50) {
            true => self.clock.put_forward(SignedDuration::from_mins(minutes)),
            false => tokio::time::sleep(Duration::from_secs(60 * minutes.unsigned_abs())).await,
        }
    }

    /// Sends a request and records the answer. `true` if a repeat with the same key makes sense.
    pub async fn ask(&self, engine: &Engine, room_type: RoomTypeId, wish: Wish, key: Option<Key>) -> bool {
        let before = (self.journal.sequence(room_type), self.clock.now(), self.began.elapsed());
        let answer = self.fulfil(engine, room_type, wish.clone(), key).await;
        let after = (self.journal.sequence(room_type), self.clock.now(), self.began.elapsed());
        if let Ok(Answer::Booking(BookingOutcome { booking, .. })) = &answer {
            self.known.borrow_mut().push(booking.clone());
        }
        self.dice.saw(match &answer {
            Ok(Answer::Booking(outcome)) if outcome.replayed => "replayed".to_owned(),
            Ok(Answer::Booking(outcome)) => outcome.booking.status.name().to_owned(),
            Ok(_) => "done".to_owned(),
            Err(Error::Refused(refusal)) => refusal.name().to_owned(),
            Err(Error::Elsewhere(_)) => "no node owns it".to_owned(),
            Err(error) => format!("{error:?}"),
        });
        let failed = matches!(answer, Err(Error::Interrupted | Error::Unavailable | Error::Busy | Error::Elsewhere(_)));
        let (facts, time, moments) = ((before.0, after.0), (before.1, after.1), (before.2, after.2));
        self.records.borrow_mut().push(Record { room_type, wish, key, facts, time, moments, answer });
        failed
    }

    /// Sends to a node, then to the owner that it names, and once more.
    pub async fn fulfil(
        &self,
        engine: &Engine,
        room_type: RoomTypeId,
        wish: Wish,
        key: Option<Key>,
    ) -> Result<Answer, Error> {
        let mut answer = fulfil(engine, room_type, wish.clone(), key).await;
        for _ in 0..3 {
            let (Err(Error::Elsewhere(owner)), Some(leases)) = (&answer, &self.leases) else { break };
            self.dice.saw("sent to its owner");
            let owner = self.engines[leases.number(owner)].forwarded();
            self.dice.nap(10).await;
            answer = fulfil(&owner, room_type, wish.clone(), key).await;
        }
        answer
    }

    fn next_wish(&self) -> (RoomTypeId, Wish, Option<Key>) {
        if self.dice.chance(12)
            && let Some(repeated) = self.repeat()
        {
            return repeated;
        }
        let number = self.next_number();
        let index = self.dice.below(self.room_types.len());
        let mut room_type = self.room_types[index].id;
        let wish = match self.dice.below(100) {
            0..45 => Wish::Book(self.order(number)),
            45..80 => match self.act(number) {
                Some((of, wish)) => {
                    room_type = of;
                    wish
                }
                None => Wish::Book(self.order(number)),
            },
            80..88 => Wish::SetNights(self.nights(room_type)),
            88..90 => Wish::SetRooms(RoomType { rooms: self.rooms(), ..self.room_types[index].clone() }),
            _ => {
                let stay = stay(self.dice.between(0, 6), self.dice.between(1, 9));
                Wish::View(stay.check_in(), stay.check_out())
            }
        };
        let can_have_a_key = matches!(wish, Wish::Book(_) | Wish::Act { dry_run: false, .. });
        let key = (can_have_a_key && self.dice.chance(70)).then(|| key(number, number));
        if let Some(key) = key {
            self.keyed.borrow_mut().push((room_type, wish.clone(), key));
        }
        (room_type, wish, key)
    }

    /// A request that was sent before, perhaps still under way; sometimes another request with the same key.
    fn repeat(&self) -> Option<(RoomTypeId, Wish, Option<Key>)> {
        let keyed = self.keyed.borrow();
        let (room_type, wish, old) = keyed.get(self.dice.below(keyed.len()))?.clone();
        if self.dice.chance(75) {
            return Some((room_type, wish, Some(old)));
        }
        let number = self.next_number();
        let other = Key { fingerprint: key(number, number).fingerprint, ..old };
        Some((room_type, Wish::Book(self.order(number)), Some(other)))
    }

    fn next_number(&self) -> u64 {
        *self.asked.borrow_mut() += 1;
        *self.asked.borrow()
    }

    fn order(&self, number: u64) -> Order {
        let stay = stay(self.dice.between(0, 7), self.dice.between(1, 4));
        let rooms = if self.dice.chance(80) { 1 } else { 2 };
        let external_reference = Some(tag(number));
        Order { hold: self.dice.chance(40), external_reference, ..order(stay, rooms) }
    }

    fn act(&self, number: u64) -> Option<(RoomTypeId, Wish)> {
        let known = self.known.borrow();
        let booking = known.get(self.dice.below(known.len()))?;
        let act = match self.dice.below(24) {
            0..5 => Move::Confirm,
            5..10 => Move::Cancel,
            10..15 => Move::Amend(self.amendment(number)),
            // Few bookings are old enough for these two.
            15..19 => Move::CheckIn,
            19..23 => Move::CheckOut,
            _ => Move::NoShow,
        };
        let expected = self.dice.chance(20).then_some(booking.sequence);
        let dry_run = self.dice.chance(10);
        Some((booking.room_type_id, Wish::Act { booking: booking.id, act, expected, dry_run }))
    }

    fn amendment(&self, number: u64) -> Amendment {
        let stay = stay(self.dice.between(0, 7), self.dice.between(1, 4));
        let mut party = guests(&[34, 36]);
        party[0].name = tag(number);
        Amendment {
            check_in: self.dice.chance(60).then(|| stay.check_in()),
            check_out: self.dice.chance(80).then(|| stay.check_out()),
            rooms: self.dice.chance(20).then(|| self.rooms()),
            guests: Some(party),
            waive_policy: number.is_multiple_of(2),
            ..Amendment::default()
        }
    }

    fn rooms(&self) -> u16 {
        u16::try_from(self.dice.between(1, 4)).unwrap_or(1)
    }

    fn nights(&self, room_type: RoomTypeId) -> NightsChange {
        let change = nights_change(self.dice.between(0, 6), self.dice.between(1, 5));
        let forced_by = self.dice.chance(30).then(|| "Rui".to_owned());
        let stop_sell = Patch::Set(self.dice.chance(30));
        match self.dice.below(4) {
            0 => NightsChange { physical: Patch::Set(self.rooms()), forced_by, ..change },
            1 => NightsChange { out_of_order: Patch::Set(self.rooms() - 1), forced_by, ..change },
            2 => NightsChange { restriction: RestrictionPatch { stop_sell, ..Default::default() }, ..change },
            _ => {
                let price = Patch::Set(Amount(self.dice.between(5_000, 20_000)));
                NightsChange { rate_plan: Some((self.plan)(room_type)), price, ..change }
            }
        }
    }
}

async fn fulfil(engine: &Engine, room_type: RoomTypeId, wish: Wish, key: Option<Key>) -> Result<Answer, Error> {
    match wish {
        Wish::Book(order) => engine.book(room_type, order, key).await.map(Answer::Booking),
        Wish::Act { booking, act, expected, dry_run } => {
            let options = MoveOptions { key, expected, dry_run };
            engine.act(booking, act, options).await.map(Answer::Booking)
        }
        Wish::SetNights(change) => engine.set_nights(room_type, change).await.map(Answer::Nights),
        Wish::SetRooms(room_type) => engine.set_room_type(room_type).await.map(Answer::Sequence),
        Wish::View(from, to) => engine.view(room_type, from, to).await.map(Answer::View),
    }
}

/// Marks all facts of request `number`.
pub fn tag(number: u64) -> String {
    format!("question {number}")
}

fn key(digest: u64, fingerprint: u64) -> Key {
    let bytes = |number: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes
    };
    Key { digest: KeyDigest(bytes(digest)), fingerprint: Fingerprint(bytes(fingerprint)) }
}

//! Random histories: a reloaded room type equals the one in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use innkeeper::domain::nights_change::{Patch, RestrictionPatch};
use innkeeper::domain::{
    Amendment, Amount, Booking, BookingId, Command, Inventory, Move, NightsChange, Order, RatePlan, Refusal, RoomType,
};
use innkeeper::store::{CommitEntry, Verdict};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;

use super::fixture::{self, Desk, StoreFixture, booking, day, keyed, order, stay};

/// One step, of one of two room types.
#[derive(Debug, Clone)]
enum Step {
    Book { from: i64, nights: i64, rooms: u16, hold: bool },
    Move { which: usize, act: Move },
    Capacity { from: i64, nights: i64, physical: u16, forced: bool },
    Price { from: i64, nights: i64, price: i64, closed: bool },
    Resize { rooms: u16, allowance: i16 },
    Plan { price: i64, new: bool },
    Wait { hours: i64 },
    Commit,
}

fn step() -> impl Strategy<Value = Step> {
    let from = 0..12i64;
    let amendment = (0..12i64, 1..5i64, 1..3u16).prop_map(|(from, nights, rooms)| {
        let (check_in, check_out, rooms) = (Some(day(from)), Some(day(from + nights)), Some(rooms));
        Move::Amend(Amendment { check_in, check_out, rooms, ..Amendment::default() })
    });
    let act = prop_oneof![
        Just(Move::Confirm),
        Just(Move::Cancel),
        Just(Move::CheckIn),
        Just(Move::CheckOut),
        Just(Move::NoShow),
        amendment,
    ];
    prop_oneof![
        6 => (from.clone(), 1..5i64, 1..3u16, any::<bool>())
            .prop_map(|(from, nights, rooms, hold)| Step::Book { from, nights, rooms, hold }),
        6 => (any::<usize>(), act).prop_map(|(which, act)| Step::Move { which, act }),
        1 => (from.clone(), 1..5i64, 0..6u16, any::<bool>())
            .prop_map(|(from, nights, physical, forced)| Step::Capacity { from, nights, physical, forced }),
        1 => (from, 1..5i64, 1..99i64, any::<bool>())
            .prop_map(|(from, nights, price, closed)| Step::Price { from, nights, price, closed }),
        1 => (1..6u16, -1..3i16).prop_map(|(rooms, allowance)| Step::Resize { rooms, allowance }),
        1 => (1..99i64, any::<bool>()).prop_map(|(price, new)| Step::Plan { price, new }),
        1 => (1..30i64).prop_map(|hours| Step::Wait { hours }),
        3 => Just(Step::Commit),
    ]
}

/// The owner of a room type, the bookings it has seen, and its uncommitted decisions.
struct Owner {
    desk: Desk,
    bookings: BTreeMap<BookingId, Arc<Booking>>,
    decided: Vec<CommitEntry>,
}

impl Owner {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Wait { hours } => self.desk.now += SignedDuration::from_hours(*hours),
            Step::Commit => return,
            _ => {}
        }
        self.desk.inventory.roll(self.desk.now);
        while let Some(hold) = self.desk.inventory.overdue(self.desk.now) {
            let expired = self.desk.decide(Command::Move { booking: hold, act: Move::Expire, expected: None });
            self.keep(expired.map(Some));
        }
        let decided = self.decide(step);
        self.keep(decided);
    }

    fn decide(&mut self, step: &Step) -> Result<Option<CommitEntry>, Refusal> {
        let today = self.desk.inventory.calendar.first();
        let command = match step {
            Step::Book { from, nights, rooms, hold } => {
                let order = Order { hold: *hold, ..order(stay(*from, *nights), *rooms) };
                let id = BookingId(self.desk.fresh_id());
                Command::Book { id, order, hold_until: self.desk.now + SignedDuration::from_mins(15) }
            }
            Step::Move { which, act } => match self.bookings.values().nth(which % self.bookings.len().max(1)) {
                Some(booking) => Command::Move { booking: booking.clone(), act: act.clone(), expected: None },
                None => return Ok(None),
            },
            Step::Capacity { from, nights, physical, forced } => {
                let forced_by = forced.then(|| "the owner".to_owned());
                let physical = Patch::Set(*physical);
                Command::SetNights(NightsChange { physical, forced_by, ..nights_from(today.max(day(*from)), *nights) })
            }
            Step::Price { from, nights, price, closed } => {
                let restriction = RestrictionPatch { stop_sell: Patch::Set(*closed), ..RestrictionPatch::default() };
                let rate_plan = Some(self.desk.inventory.plans[0].id);
                let nights = nights_from(today.max(day(*from)), *nights);
                Command::SetNights(NightsChange { rate_plan, price: Patch::Set(Amount(*price)), restriction, ..nights })
            }
            Step::Resize { rooms, allowance } => Command::SetRoomType(RoomType {
                rooms: *rooms,
                overbooking_allowance: *allowance,
                ..self.desk.inventory.room_type.clone()
            }),
            Step::Plan { price, new: true } => Command::SetRatePlan(self.desk.plan("Another", *price)),
            Step::Plan { price, new: false } => {
                let plan = self.desk.inventory.plans[0].clone();
                Command::SetRatePlan(RatePlan { price: Amount(*price), ..plan })
            }
            Step::Wait { .. } | Step::Commit => return Ok(None),
        };
        self.desk.decide(command).map(Some)
    }

    /// A refusal changes nothing.
    fn keep(&mut self, decided: Result<Option<CommitEntry>, Refusal>) {
        let Ok(Some(mut entry)) = decided else { return };
        if entry.fact.change.booking().is_some() {
            let booking = booking(&entry);
            entry = keyed(entry, 0);
            if let Some((key, _)) = &mut entry.record {
                key.0[..16].copy_from_slice(entry.fact.id.0.as_bytes());
            }
            self.bookings.insert(booking.id, booking);
        }
        self.decided.push(entry);
    }
}

fn nights_from(from: jiff::civil::Date, nights: i64) -> NightsChange {
    NightsChange::untouched(from, from.saturating_add(SignedDuration::from_hours(24 * nights)))
}

/// Commits the decisions of both owners, with their entries interleaved.
async fn commit(house: &StoreFixture, owners: &mut [Owner; 2]) {
    let [one, two] = owners.each_mut().map(|owner| std::mem::take(&mut owner.decided));
    let (mut one, mut two, mut batch) = (one.into_iter(), two.into_iter(), Vec::new());
    loop {
        let pair = [one.next(), two.next()];
        if pair.iter().all(Option::is_none) {
            break;
        }
        batch.extend(pair.into_iter().flatten());
    }
    let verdicts = house.commit(&batch).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Committed), "{verdicts:?}");
}

async fn assert_reloads(house: &StoreFixture, owner: &Owner) {
    let (memory, now) = (&owner.desk.inventory, owner.desk.now);
    let loaded = house.store.load(owner.desk.id(), now).await.unwrap().unwrap();
    assert_eq!(loaded.sequence(), memory.sequence());
    assert_eq!(loaded.room_type, memory.room_type);
    assert_eq!(loaded.calendar, memory.calendar);
    assert_eq!(loaded.plans, plans_from_today(memory));
    assert_eq!(loaded.holds().collect::<Vec<_>>(), memory.holds().collect::<Vec<_>>());
    let evidence = house.store.evidence(owner.desk.id()).await.unwrap();
    for stored in evidence.nights {
        let night = memory.calendar.night(stored.date);
        assert!(night.is_none_or(|night| memory.calendar.capacity(night) == stored.capacity), "{stored:?}");
    }
    for booking in owner.bookings.values() {
        assert_eq!(house.store.booking(booking.id).await.unwrap().as_ref(), Some(&**booking));
    }
    house.assert_sound(owner.desk.id()).await;
}

/// Memory may still have prices of past nights.
fn plans_from_today(inventory: &Inventory) -> Vec<RatePlan> {
    let today = inventory.calendar.first();
    let mut plans = inventory.plans.clone();
    plans.iter_mut().for_each(|plan| plan.nights.forget_before(today));
    plans
}

async fn replay(house: StoreFixture, steps: Vec<(bool, Step)>) {
    let hotel = house.hotel("Casa Azul", "Lisbon").await;
    let mut owners = [house.desk_in(&hotel, 3).await, house.desk_in(&hotel, 1).await].map(|desk| Owner {
        desk,
        bookings: BTreeMap::new(),
        decided: Vec::new(),
    });
    for (second, step) in &steps {
        match step {
            Step::Commit => commit(&house, &mut owners).await,
            step => owners[usize::from(*second)].take(step),
        }
    }
    commit(&house, &mut owners).await;
    for owner in &owners {
        assert_reloads(&house, owner).await;
    }
}

fn run<F: Future<Output = StoreFixture>>(house: impl FnOnce() -> F, steps: Vec<(bool, Step)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { replay(house().await, steps).await });
}

mod sqlite {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_reloads_is_what_was_in_memory(steps in vec((any::<bool>(), step()), 1..80)) {
            run(fixture::sqlite, steps);
        }
    }
}

mod postgres {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_reloads_is_what_was_in_memory(steps in vec((any::<bool>(), step()), 1..80)) {
            run(fixture::postgres, steps);
        }
    }
}

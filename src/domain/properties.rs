//! Properties that hold after any history: random commands against one small room type, in any order.
//!
//! Commands contain every number that a client can send. Checks at the edge are left out, because `decide` must not
//! depend on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::booking::Counter;
use super::nights_change::{Patch, RestrictionPatch};
use super::quote::Enquiry;
use super::testing::{book, day, fact_id, guests, inventory, nights_change, noon, order, plan, room_type, stay};
use super::{
    Amendment, Amount, Booking, BookingId, CancellationPolicy, Change, Command, Date, Fact, Inventory, Move,
    NightsChange, Order, Party, RatePlan, Refusal, RoomType, Status, Stay, Timestamp,
};

const ROOMS: u16 = 3;

/// A step of a history. Bookings are named by their position in it.
#[derive(Debug, Clone)]
enum Step {
    Book(Order),
    Move(prop::sample::Index, Move),
    SetNights(NightsChange),
    SetRooms(u16, i16),
    SetPlan(u64, i64),
    Wait(i64),
}

fn any_order() -> impl Strategy<Value = Order> {
    let ages = prop::collection::vec(prop_oneof![5 => 18..90u8, 1 => 0..18u8], 1..4);
    let rooms = prop_oneof![20 => 0..=ROOMS + 1, 1 => Just(u16::MAX)];
    (prop_oneof![-1..12i64, 0..3i64], 1..6i64, rooms, ages, any::<bool>()).prop_map(
        |(arrival, nights, rooms, ages, hold)| Order {
            hold,
            guests: guests(&ages),
            ..order(stay(arrival, nights), rooms)
        },
    )
}

fn any_move() -> impl Strategy<Value = Move> {
    let amendment = (
        prop::option::of(-1..12i64),
        prop::option::of(0..16i64),
        prop::option::of(0..=ROOMS + 1),
        prop::option::of(prop::collection::vec(0..90u8, 0..5)),
        any::<bool>(),
    );
    let amend = amendment.prop_map(|(check_in, check_out, rooms, ages, waive_policy)| {
        let (check_in, check_out, guests) = (check_in.map(day), check_out.map(day), ages.map(|ages| guests(&ages)));
        Move::Amend(Amendment { check_in, check_out, rooms, guests, waive_policy, ..Amendment::default() })
    });
    prop_oneof![
        2 => Just(Move::Confirm),
        2 => Just(Move::Cancel),
        4 => amend,
        3 => Just(Move::CheckIn),
        3 => Just(Move::CheckOut),
        1 => Just(Move::NoShow),
        2 => Just(Move::Expire),
    ]
}

fn patch<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Patch<T>> {
    prop_oneof![3 => Just(Patch::Keep), 1 => Just(Patch::Reset), 2 => value.prop_map(Patch::Set)]
}

fn any_restriction_patch() -> impl Strategy<Value = RestrictionPatch> {
    (patch(any::<bool>()), patch(any::<bool>()), patch(any::<bool>()), patch(0..4u8), patch(0..9u8)).prop_map(
        |(stop_sell, closed_to_arrival, closed_to_departure, min, max)| RestrictionPatch {
            stop_sell,
            closed_to_arrival,
            closed_to_departure,
            min_nights_arrival: min,
            max_nights_arrival: max,
            min_nights_through: min,
            max_nights_through: max,
        },
    )
}

fn any_nights_change() -> impl Strategy<Value = NightsChange> {
    let physical = patch(prop_oneof![9 => 0..6u16, 1 => any::<u16>()]);
    let out_of_order = patch(prop_oneof![9 => 0..3u16, 1 => any::<u16>()]);
    let allowance = patch(prop_oneof![9 => -2..3i16, 1 => any::<i16>()]);
    let price = patch((0..90_000i64).prop_map(Amount));
    let range = (-1..12i64, 0..6i64, any::<bool>(), any::<bool>());
    (range, physical, out_of_order, allowance, price, any_restriction_patch()).prop_map(
        |((first, nights, of_plan, forced), physical, out_of_order, allowance, price, restriction)| NightsChange {
            physical,
            out_of_order,
            allowance,
            rate_plan: of_plan.then(|| plan(1, Amount::ZERO).id),
            price,
            restriction,
            forced_by: forced.then(|| "Rui".to_owned()),
            ..nights_change(first, nights)
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_order().prop_map(Step::Book),
        8 => (any::<prop::sample::Index>(), any_move()).prop_map(|(which, act)| Step::Move(which, act)),
        2 => any_nights_change().prop_map(Step::SetNights),
        1 => (prop_oneof![9 => 0..6u16, 1 => any::<u16>()], -2..3i16).prop_map(|(n, m)| Step::SetRooms(n, m)),
        1 => (1..4u64, 0..30_000i64).prop_map(|(number, price)| Step::SetPlan(number, price)),
        2 => prop_oneof![3 => 0..40i64, 1 => 600..2_000i64].prop_map(Step::Wait),
    ]
}

/// A room type that runs steps and records everything that happened.
struct World {
    inventory: Inventory,
    bookings: BTreeMap<BookingId, Arc<Booking>>,
    facts: Vec<Fact>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self { inventory: inventory(ROOMS), bookings: BTreeMap::new(), facts: Vec::new(), now: noon(0) }
    }

    fn after(steps: Vec<Step>) -> Self {
        let mut world = Self::new();
        for step in steps {
            world.step(step);
        }
        world
    }

    /// Runs a step. A wait advances the time. A refused step changes nothing else.
    fn step(&mut self, step: Step) -> Option<Result<Fact, Refusal>> {
        let command = match step {
            Step::Wait(minutes) => {
                self.now += SignedDuration::from_mins(minutes);
                self.inventory.roll(self.now);
                return None;
            }
            Step::Book(order) => book(self.facts.len() as u64, order, self.now),
            Step::Move(which, act) => {
                let booking = self.bookings.values().nth(which.index(self.bookings.len().max(1)))?.clone();
                Command::Move { booking, act, expected: None }
            }
            Step::SetNights(change) => Command::SetNights(change),
            Step::SetRooms(rooms, overbooking_allowance) => {
                Command::SetRoomType(RoomType { overbooking_allowance, ..room_type(rooms) })
            }
            Step::SetPlan(number, price) => {
                let strict = number % 2 == 0;
                let policy = if strict { CancellationPolicy::non_refundable() } else { CancellationPolicy::flexible() };
                Command::SetRatePlan(RatePlan { policy, ..plan(number, Amount(price)) })
            }
        };
        let decided = self.inventory.decide(command, fact_id(self.facts.len() as u64), self.now);
        if let Ok(fact) = &decided {
            self.inventory.apply(fact);
            self.facts.push(fact.clone());
            if let Some(booking) = fact.change.booking() {
                self.bookings.insert(booking.id, booking.clone());
            }
        }
        Some(decided)
    }

    /// The present cancellation fee.
    fn fee(&self, booking: &Booking) -> Amount {
        self.inventory.cancellation_fee(booking, self.now)
    }

    /// Rooms (sold, held) on each night, counted from the bookings.
    fn recount(&self) -> BTreeMap<Date, (u32, u32)> {
        let mut nights: BTreeMap<Date, (u32, u32)> = BTreeMap::new();
        for print in self.bookings.values().filter_map(|booking| booking.footprint()) {
            for date in print.stay.dates() {
                let night = nights.entry(date).or_default();
                match print.counter {
                    Counter::Sold => night.0 += u32::from(print.rooms),
                    Counter::Held => night.1 += u32::from(print.rooms),
                }
            }
        }
        nights
    }
}

/// One room for one adult on one night.
fn one_night(date: Date) -> Enquiry<'static> {
    let stay = Stay::new(date, date.tomorrow().unwrap()).unwrap();
    let party = Party { adults: 1, children: 0 };
    Enquiry { stay, rooms: 1, party, rate_plan: None, forced: false, keeping: None }
}

/// The price of each room and night, the first rooms first.
fn room_by_room(booking: &Booking) -> Vec<BTreeMap<Date, Amount>> {
    let rooms = booking.room_groups().flat_map(|(rooms, prices)| std::iter::repeat_n(prices, usize::from(rooms)));
    rooms.map(|prices| booking.stay.dates().zip(prices.iter().copied()).collect()).collect()
}

fn steps(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), range)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_ever_oversold(steps in steps(1..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            prop_assert!(world.inventory.calendar.is_sound());
        }
    }

    #[test]
    fn only_a_forced_change_takes_a_night_beyond_its_capacity(steps in steps(1..60)) {
        let mut world = World::new();
        for step in steps {
            let before = world.inventory.clone();
            let Some(Ok(fact)) = world.step(step) else { continue };
            let forced = matches!(&fact.change, Change::Nights { forced_by: Some(_), .. });
            for (date, night) in world.inventory.calendar.iter() {
                let old = before.calendar.night(date).map_or(0, |old| before.calendar.excess(old));
                let new = world.inventory.calendar.excess(night);
                prop_assert!(new <= old || forced, "on {}: {} became {}", date, old, new);
                let is_refused = || world.inventory.quote(&one_night(date), world.now).is_err();
                prop_assert!(new == 0 || is_refused(), "on {}: another sale beyond {}", date, new);
            }
        }
    }

    #[test]
    fn no_booking_changes_what_was_sold_on_a_night_that_is_over(steps in steps(1..60)) {
        let mut world = World::new();
        for step in steps {
            let today = world.inventory.hotel.today(world.now);
            let Some(Ok(Fact { change: Change::Booking { deltas, .. }, .. })) = world.step(step) else { continue };
            for delta in deltas.iter().filter(|delta| delta.date < today) {
                prop_assert!(delta.sold >= 0, "on {}: {:?}", today, delta);
            }
        }
    }

    #[test]
    fn the_counters_of_every_night_are_what_the_bookings_occupy(steps in steps(1..60)) {
        let world = World::after(steps);
        let recount = world.recount();
        for (date, night) in world.inventory.calendar.iter() {
            let counted = (u32::from(night.sold), u32::from(night.held));
            prop_assert_eq!(counted, recount.get(&date).copied().unwrap_or_default(), "on {}", date);
        }
    }

    #[test]
    fn replaying_the_facts_gives_the_same_inventory(steps in steps(1..60)) {
        let world = World::after(steps);
        let mut replayed = inventory(ROOMS);
        for fact in &world.facts {
            replayed.apply(fact);
        }
        replayed.roll(world.now);
        prop_assert_eq!(replayed, world.inventory);
    }

    #[test]
    fn a_fact_is_read_back_as_it_was_written(steps in steps(1..30)) {
        for fact in World::after(steps).facts {
            let text = serde_json::to_string(&fact).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fact>(&text).unwrap(), fact);
        }
    }

    #[test]
    fn holds_are_the_bookings_that_are_held(steps in steps(1..60)) {
        let world = World::after(steps);
        let held = |booking: &&Arc<Booking>| booking.status.expires_at().is_some();
        let mut expected: Vec<_> = world.bookings.values().filter(held).cloned().collect();
        expected.sort_by_key(|booking| (booking.status.expires_at(), booking.id));
        prop_assert_eq!(world.inventory.holds().cloned().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_booking_costs_its_quote_and_a_refused_quote_is_a_refused_booking(
        steps in steps(1..40),
        order in any_order(),
    ) {
        let mut world = World::after(steps);
        let party = Party::of(&order.guests);
        let enquiry = Enquiry { stay: order.stay, rooms: order.rooms, party, rate_plan: None, forced: false, keeping: None };
        let offer = world.inventory.quote(&enquiry, world.now);
        match world.step(Step::Book(order)).unwrap() {
            Ok(fact) => {
                let (booking, offer) = (fact.change.booking().unwrap(), offer.unwrap());
                prop_assert_eq!((&booking.prices, booking.total()), (&offer.prices, offer.total));
            }
            Err(refusal) => prop_assert_eq!(Err(refusal), offer),
        }
    }

    #[test]
    fn a_refused_command_changes_nothing_and_a_decided_one_has_the_next_sequence_number(
        before in steps(1..40),
        step in any_step(),
    ) {
        let mut world = World::after(before);
        let snapshot = world.inventory.clone();
        match world.step(step) {
            Some(Ok(fact)) => prop_assert_eq!(fact.sequence, snapshot.sequence() + 1),
            Some(Err(_)) => prop_assert_eq!(world.inventory, snapshot),
            None => {}
        }
    }

    #[test]
    fn a_change_prices_only_rooms_and_nights_that_the_booking_did_not_have(steps in steps(5..60)) {
        let mut world = World::new();
        for step in steps {
            let before = world.bookings.clone();
            let Some(Ok(Fact { change: Change::Booking { booking, .. }, .. })) = world.step(step) else { continue };
            let Some(before) = before.get(&booking.id) else { continue };
            let plan = world.inventory.plan(booking.rate_plan_id).unwrap();
            let (old, new) = (room_by_room(before), room_by_room(&booking));
            prop_assert_eq!(new.len(), usize::from(booking.rooms));
            let mut total = Amount::ZERO;
            for (room, prices) in new.iter().enumerate() {
                for date in booking.stay.dates() {
                    let as_sold = old.get(room).and_then(|prices| prices.get(&date)).copied();
                    prop_assert_eq!(prices[&date], as_sold.unwrap_or_else(|| plan.price_on(date)), "{} on {}", room, date);
                    total = total + prices[&date];
                }
            }
            prop_assert_eq!(booking.nightly_totals().sum::<Amount>(), total);
        }
    }

    #[test]
    fn a_guest_gives_nothing_back_while_cancelling_costs_a_fee(steps in steps(5..60)) {
        let mut world = World::new();
        for step in steps {
            let before = world.bookings.clone();
            let Step::Move(_, Move::Amend(Amendment { waive_policy: false, .. })) = &step else {
                world.step(step);
                continue;
            };
            let Some(Ok(Fact { change: Change::Booking { booking: after, .. }, .. })) = world.step(step) else { continue };
            let before = &before[&after.id];
            if matches!(before.status, Status::Held { .. }) || world.fee(before) == Amount::ZERO {
                continue;
            }
            prop_assert!(after.rooms >= before.rooms && before.stay.dates().all(|night| after.stay.contains(night)));
            let nights = |booking: &Booking| booking.nightly_totals().sum::<Amount>();
            prop_assert!(nights(after.as_ref()) >= nights(before));
        }
    }
}

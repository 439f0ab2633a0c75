//! The demo's guests: booked through the engine as they would have been, on a clock that begins a few days ago. So there
//! are guests in house, arrivals and departures today, and about 60 % of the next nights are sold.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, ToSpan};

use crate::clock::{Clock, ManualClock};
use crate::domain::order::OrderDraft;
use crate::domain::{BookingId, Date, Inventory, Move, Order, PlanChoice, RoomTypeId, Timestamp};
use crate::engine::{Engine, Error, MoveOptions};
use crate::store::{Page, Store};

/// When the first guests came, in days before today.
pub const DAYS_BEFORE: i64 = 3;
/// How far ahead people book, in days.
const DAYS_AHEAD: i64 = 28;
/// The nights up to this one are as full as usual; after it fewer and fewer are sold.
const USUAL: i64 = 12;
const LONGEST_STAY: i64 = 5;
/// Bookings on their way at once.
const AT_ONCE: usize = 64;
/// Hotels of the demo, at most.
const HOTELS: u32 = 200;

const NAMES: [&str; 16] = [
    "Ana Lopes",
    "Kenji Sato",
    "Wanjiru Kamau",
    "Emma Tremblay",
    "João Pereira",
    "Yuki Tanaka",
    "Otieno Odhiambo",
    "Liam Roy",
    "Beatriz Costa",
    "Haruto Mori",
    "Amina Hassan",
    "Chloé Gagnon",
    "Rui Almeida",
    "Sakura Ito",
    "Njeri Mwangi",
    "Noah Singh",
];

/// The rooms of one type, with what is sold of each night.
struct Rooms {
    inventory: Inventory,
    /// The hotel's date of the last day.
    today: Date,
    /// From [`DAYS_BEFORE`] on.
    sold: Vec<u16>,
    dice: fastrand::Rng,
}

/// A guest who has booked.
struct Booked {
    room_type: RoomTypeId,
    id: BookingId,
    /// Days after today.
    arrival: i64,
    departure: i64,
}

/// Lets the guests book, arrive and leave, day by day until `now`.
pub async fn arrive(store: &dyn Store, engine: &Engine, clock: &ManualClock, now: Timestamp) -> anyhow::Result<()> {
    let mut rooms = Vec::new();
    for hotel in store.hotels(None, Page { after: None, limit: HOTELS }).await? {
        let today = hotel.today(now);
        let stock = store.stock(hotel.id, clock.now()).await?;
        rooms.extend(stock.into_iter().map(|inventory| Rooms::of(inventory, today)));
    }
    let mut guests = Vec::new();
    for day in -DAYS_BEFORE..=0 {
        clock.set(now + SignedDuration::from_hours(24 * day));
        act(engine, guests.iter().filter(|guest: &&Booked| guest.departure == day), Move::CheckOut).await?;
        let arriving = book(engine, &mut rooms, day..=day).await?;
        // Of those who arrive today, some are still on their way.
        let here = arriving.iter().enumerate().filter(|(index, _)| day < 0 || index % 2 == 0);
        act(engine, here.map(|(_, guest)| guest), Move::CheckIn).await?;
        guests.extend(arriving);
    }
    book(engine, &mut rooms, 1..=DAYS_AHEAD).await?;
    Ok(())
}

/// Sells stays that begin on these days until each night is as full as it should be.
async fn book(
    engine: &Engine,
    rooms: &mut [Rooms],
    days: std::ops::RangeInclusive<i64>,
) -> anyhow::Result<Vec<Booked>> {
    let mut orders = Vec::new();
    for day in days {
        orders.extend(rooms.iter_mut().flat_map(|rooms| rooms.wanted_on(day)));
    }
    let mut booked = Vec::new();
    let mut answers = stream::iter(orders)
        .map(async |(room_type, arrival, departure, order)| {
            let outcome = engine.book(room_type, order, None).await;
            outcome.map(|outcome| Booked { room_type, id: outcome.booking.id, arrival, departure })
        })
        .buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(guest) => booked.push(guest),
            // A night with a rule of its own.
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    booked.sort_by_key(|guest| (guest.arrival, guest.id));
    Ok(booked)
}

async fn act(engine: &Engine, guests: impl Iterator<Item = &Booked>, act: Move) -> anyhow::Result<()> {
    let mut answers = stream::iter(guests)
        .map(|guest| engine.act_in(guest.room_type, guest.id, act.clone(), MoveOptions::default()))
        .buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Rooms {
    fn of(inventory: Inventory, today: Date) -> Self {
        // Each room type has guests of its own, and the same ones at every start.
        let names = inventory.hotel.name.bytes().chain(inventory.room_type.name.bytes());
        let dice = fastrand::Rng::with_seed(names.fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte)));
        Self { inventory, today, sold: vec![0; (DAYS_BEFORE + DAYS_AHEAD + LONGEST_STAY + 1) as usize], dice }
    }

    fn sold(&mut self, day: i64) -> &mut u16 {
        &mut self.sold[(day + DAYS_BEFORE) as usize]
    }

    /// The orders of a day: arrival, departure, and what is ordered.
    fn wanted_on(&mut self, day: i64) -> Vec<(RoomTypeId, i64, i64, Order)> {
        let mut orders = Vec::new();
        let rooms = self.inventory.room_type.rooms;
        while f64::from(*self.sold(day)) + 0.5 < f64::from(rooms) * self.target(day) {
            let longest =
                (1..=self.dice.i64(1..=LONGEST_STAY)).take_while(|nights| *self.sold(day + nights - 1) < rooms);
            let departure = day + longest.last().unwrap_or(1);
            (day..departure).for_each(|night| *self.sold(night) += 1);
            orders.extend(self.order(day, departure).map(|order| (self.inventory.room_type.id, day, departure, order)));
        }
        orders
    }

    /// The share of rooms that is sold on a night: more on weekends, less and less later.
    fn target(&self, day: i64) -> f64 {
        let weekend = matches!(self.on(day).weekday(), jiff::civil::Weekday::Friday | jiff::civil::Weekday::Saturday);
        let usual = if weekend { 0.75 } else { 0.55 };
        let later = (day - USUAL).max(0) as f64 / (DAYS_AHEAD - USUAL) as f64;
        usual * (1.0 - 0.8 * later)
    }

    fn on(&self, day: i64) -> Date {
        self.today.saturating_add(day.days())
    }

    fn order(&mut self, arrival: i64, departure: i64) -> Option<Order> {
        let occupancy = self.inventory.room_type.occupancy;
        let adults = self.dice.u16(1..=occupancy.max_adults.clamp(1, 2));
        let has_child = occupancy.max_children > 0 && occupancy.max_occupancy > adults && self.dice.u8(0..5) == 0;
        let adult = |dice: &mut fastrand::Rng| (NAMES[dice.usize(0..NAMES.len())].to_owned(), dice.i64(21..80));
        let mut guests: Vec<_> = (0..adults).map(|_| adult(&mut self.dice)).collect();
        if has_child {
            guests.push((NAMES[self.dice.usize(0..NAMES.len())].to_owned(), self.dice.i64(2..12)));
        }
        let rate_plan = self.inventory.plans.get(self.dice.usize(0..self.inventory.plans.len().max(1)));
        let draft = OrderDraft {
            rate_plan: rate_plan.map_or(PlanChoice::Cheapest, |plan| PlanChoice::Named(plan.id)),
            checkin_date: self.on(arrival),
            checkout_date: self.on(departure),
            rooms: 1,
            num_guests: guests.len() as i64,
            guests,
            mobile: format!("+35191{:07}", self.dice.u32(1_000_000..10_000_000)),
            ..OrderDraft::default()
        };
        draft.check().ok()
    }
}

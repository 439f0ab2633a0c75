//! The demo's guests. They book through the engine on a manual clock that begins a few days ago. So some guests are checked
//! in, some arrive or leave today, and about 60 % of the next nights are sold.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, ToSpan};

use crate::clock::{Clock, ManualClock};
use crate::domain::order::OrderDraft;
use crate::domain::{BookingId, Date, Inventory, Move, Order, PlanChoice, RoomTypeId, Timestamp};
use crate::engine::{Engine, Error, MoveOptions};
use crate::store::{Page, Store};

/// The arrival of the first guests, in days before today.
pub const DAYS_BEFORE: i64 = 3;
/// The latest arrival, in days after today.
const DAYS_AHEAD: i64 = 28;
/// The last day with the usual share of sold rooms. Later days have a falling share.
const USUAL: i64 = 12;
const LONGEST_STAY: i64 = 5;
/// The limit of requests under way.
const AT_ONCE: usize = 64;
/// The limit of hotels.
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

/// The rooms of one type, and the number sold on each night.
struct Rooms {
    inventory: Inventory,
    /// The hotel's date of the last day.
    today: Date,
    /// By day, beginning [`DAYS_BEFORE`] days before today.
    sold: Vec<u16>,
    rng: fastrand::Rng,
}

/// A booking of the demo.
struct Booked {
    room_type: RoomTypeId,
    id: BookingId,
    /// Days after today.
    arrival: i64,
    departure: i64,
}

/// Books, checks in and checks out, day by day until `now`.
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
        // Half of today's arrivals have not checked in yet.
        let here = arriving.iter().enumerate().filter(|(index, _)| day < 0 || index % 2 == 0);
        act(engine, here.map(|(_, guest)| guest), Move::CheckIn).await?;
        guests.extend(arriving);
    }
    book(engine, &mut rooms, 1..=DAYS_AHEAD).await?;
    Ok(())
}

/// Books stays that begin on these days until each night has its share of sold rooms.
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
            // A restriction of the night refuses the stay.
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
        // Each room type has different guests, and the same ones at every start.
        let names = inventory.hotel.name.bytes().chain(inventory.room_type.name.bytes());
        let rng = fastrand::Rng::with_seed(names.fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte)));
        Self { inventory, today, sold: vec![0; (DAYS_BEFORE + DAYS_AHEAD + LONGEST_STAY + 1) as usize], rng }
    }

    fn sold(&mut self, day: i64) -> &mut u16 {
        &mut self.sold[(day + DAYS_BEFORE) as usize]
    }

    /// The orders of a day: room type, arrival, departure and order.
    fn wanted_on(&mut self, day: i64) -> Vec<(RoomTypeId, i64, i64, Order)> {
        let mut orders = Vec::new();
        let rooms = self.inventory.room_type.rooms;
        while f64::from(*self.sold(day)) + 0.5 < f64::from(rooms) * self.target(day) {
            let longest =
                (1..=self.rng.i64(1..=LONGEST_STAY)).take_while(|nights| *self.sold(day + nights - 1) < rooms);
            let departure = day + longest.last().unwrap_or(1);
            (day..departure).for_each(|night| *self.sold(night) += 1);
            orders.extend(self.order(day, departure).map(|order| (self.inventory.room_type.id, day, departure, order)));
        }
        orders
    }

    /// The share of rooms that is sold on a night. It is higher on weekends and falls on later days.
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
        let adults = self.rng.u16(1..=occupancy.max_adults.clamp(1, 2));
        let has_child = occupancy.max_children > 0 && occupancy.max_occupancy > adults && self.rng.u8(0..5) == 0;
        let adult = |rng: &mut fastrand::Rng| (NAMES[rng.usize(0..NAMES.len())].to_owned(), rng.i64(21..80));
        let mut guests: Vec<_> = (0..adults).map(|_| adult(&mut self.rng)).collect();
        if has_child {
            guests.push((NAMES[self.rng.usize(0..NAMES.len())].to_owned(), self.rng.i64(2..12)));
        }
        let rate_plan = self.inventory.plans.get(self.rng.usize(0..self.inventory.plans.len().max(1)));
        let draft = OrderDraft {
            rate_plan: rate_plan.map_or(PlanChoice::Cheapest, |plan| PlanChoice::Named(plan.id)),
            checkin_date: self.on(arrival),
            checkout_date: self.on(departure),
            rooms: 1,
            num_guests: guests.len() as i64,
            guests,
            mobile: format!("+35191{:07}", self.rng.u32(1_000_000..10_000_000)),
            ..OrderDraft::default()
        };
        draft.check().ok()
    }
}

//! A random town: seeded hotels, prices, restrictions, bookings and changes in the real application.

use innkeeper::clock::{IdSource, System};
use innkeeper::domain::catalogue::Coordinates;
use innkeeper::domain::nights_change::{Patch, RestrictionPatch};
use innkeeper::domain::{
    Amendment, Amount, BookingId, Date, Guest, Hotel, HotelId, Inventory, Move, NightsChange, Occupancy, Order, Party,
    PlanChoice, RatePlanId, RoomType, RoomTypeId, Stay,
};
use innkeeper::engine::{BookingOutcome, Error, MoveOptions};
use innkeeper::events::Notice;
use innkeeper::search::{Search, SearchArea, Sort};
use jiff::{SignedDuration, ToSpan};

use crate::support::app::App;
use crate::support::fixtures;

const CITIES: [&str; 2] = ["Lisbon", "Évora"];
const CENTRE: Coordinates = Coordinates { latitude: 38.7, longitude: -9.1 };

pub struct Town<'a> {
    pub app: &'a App,
    dice: fastrand::Rng,
    hotels: Vec<Hotel>,
    plans: Vec<(RoomTypeId, RatePlanId)>,
    bookings: Vec<BookingId>,
}

impl<'a> Town<'a> {
    pub async fn found(app: &'a App, seed: u64) -> Self {
        let dice = fastrand::Rng::with_seed(seed);
        let mut town = Self { app, dice, hotels: Vec::new(), plans: Vec::new(), bookings: Vec::new() };
        for _ in 0..6 {
            town.build_hotel().await;
            town.furnish().await;
            town.furnish().await;
            town.furnish().await;
        }
        town
    }

    /// Waits until the index has every commit.
    pub async fn caught_up(&self) {
        self.app.running.search.reached(self.app.running.engine.hub().position()).await;
    }

    /// Makes a random change. The hotel may refuse it.
    pub async fn live(&mut self) {
        match self.dice.u8(0..20) {
            0 => self.build_hotel().await,
            1 => self.furnish().await,
            2 => self.reprice().await,
            3 => self.change_hotel().await,
            4 => self.refit().await,
            5 => self.app.clock.advance(SignedDuration::from_hours(self.dice.i64(1..30))),
            6..=9 => self.set_nights().await,
            10..=12 => self.move_booking().await,
            _ => {
                let (room_type, plan) = self.some_plan();
                let plan = self.dice.bool().then_some(plan);
                let (stay, party, rooms) = (self.stay(), self.party(), self.dice.u16(1..3));
                let hold = self.dice.bool();
                let choice = plan.map_or(PlanChoice::Cheapest, PlanChoice::Named);
                let order = Order { hold, ..order(stay, party, rooms, choice) };
                tolerate(self.book(room_type, order).await);
            }
        }
    }

    pub async fn book(&mut self, room_type: RoomTypeId, order: Order) -> Result<BookingOutcome, Error> {
        let outcome = self.app.running.engine.book(room_type, order, None).await?;
        self.bookings.push(outcome.booking.id);
        Ok(outcome)
    }

    /// A random search in this town.
    pub fn search(&mut self) -> Search {
        let around = self.dice.bool();
        let place = match around {
            true => SearchArea::Around(CENTRE, self.dice.f64() * 40_000.0),
            false => SearchArea::City(self.city().to_uppercase()),
        };
        let sort = if around && self.dice.bool() { Sort::Distance } else { Sort::Price };
        let (stay, party, rooms) = (self.stay(), self.party(), 1 + self.dice.u16(0..5) / 4);
        Search { place, stay, party, rooms, sort, after: None, limit: self.dice.usize(1..4) }
    }

    pub fn some_hotel(&mut self) -> HotelId {
        let which = self.dice.usize(0..self.hotels.len());
        self.hotels[which].id
    }

    /// Every room type as its owner loads it.
    pub async fn inventories(&self) -> Vec<Inventory> {
        let mut inventories = Vec::new();
        let store = &self.app.running.store;
        for id in store.all_room_types(innkeeper::store::Page { after: None, limit: 1_000 }).await.unwrap() {
            let now = innkeeper::clock::Clock::now(&*self.app.clock);
            inventories.push(store.load(id, now).await.unwrap().unwrap());
        }
        inventories
    }

    pub fn today(&self) -> Date {
        self.hotels[0].today(innkeeper::clock::Clock::now(&*self.app.clock))
    }

    fn stay(&mut self) -> Stay {
        let arrival = self.day();
        Stay::new(arrival, arrival.saturating_add(self.dice.i64(1..5).days())).unwrap()
    }

    fn day(&mut self) -> Date {
        self.today().saturating_add(self.dice.i64(-1..15).days())
    }

    fn party(&mut self) -> Party {
        Party { adults: 1 + self.dice.u16(0..6) / 3 + self.dice.u16(0..6) / 5, children: self.dice.u16(0..6) / 5 }
    }

    fn city(&mut self) -> &'static str {
        CITIES[self.dice.usize(0..CITIES.len())]
    }

    fn location(&mut self) -> Option<Coordinates> {
        let mut offset = || self.dice.f64() * 0.6 - 0.3;
        let place = Coordinates { latitude: CENTRE.latitude + offset(), longitude: CENTRE.longitude + offset() };
        self.dice.bool().then_some(place)
    }

    fn some_plan(&mut self) -> (RoomTypeId, RatePlanId) {
        self.plans[self.dice.usize(0..self.plans.len())]
    }

    async fn build_hotel(&mut self) {
        let (hotel, ..) = fixtures::house(1);
        let currency = if self.dice.u8(0..4) == 0 { "CHF" } else { "EUR" }.parse().unwrap();
        let (city, location) = (self.city().to_owned(), self.location());
        let hotel = Hotel { city, location, currency, max_nights: 4, horizon_nights: 14, ..hotel };
        self.app.running.store.insert_hotel(&hotel).await.unwrap();
        self.app.running.engine.hub().publish(Notice::Hotel(hotel.id));
        self.hotels.push(hotel);
    }

    /// A room type with one or two plans.
    async fn furnish(&mut self) {
        let (_, room_type, plan) = fixtures::house(self.dice.u16(0..6));
        let (hotel_id, occupancy) = (self.some_hotel(), self.occupancy());
        self.app.running.store.insert_room_type(&RoomType { hotel_id, occupancy, ..room_type.clone() }).await.unwrap();
        self.app.running.engine.hub().publish(Notice::Hotel(hotel_id));
        for _ in 0..self.dice.u8(1..3) {
            let id = RatePlanId(System.next());
            let price = Amount(self.dice.i64(5_000..20_000));
            let plan = innkeeper::domain::RatePlan { id, price, room_type_id: room_type.id, ..plan.clone() };
            self.app.running.engine.set_rate_plan(plan).await.unwrap();
            self.plans.push((room_type.id, id));
        }
    }

    fn occupancy(&mut self) -> Occupancy {
        let max_adults = self.dice.u16(1..4);
        Occupancy { max_adults, max_children: self.dice.u16(0..3), max_occupancy: max_adults + self.dice.u16(0..2) }
    }

    async fn reprice(&mut self) {
        let (room_type, plan) = self.some_plan();
        let plan = self.app.running.store.rate_plan(plan).await.unwrap().unwrap();
        assert_eq!(plan.room_type_id, room_type);
        let price = Amount(self.dice.i64(5_000..20_000));
        self.app.running.engine.set_rate_plan(innkeeper::domain::RatePlan { price, ..plan }).await.unwrap();
    }

    async fn change_hotel(&mut self) {
        let which = self.dice.usize(0..self.hotels.len());
        let (city, location, max_nights) = (self.city().to_owned(), self.location(), self.dice.u16(1..6));
        let hotel = Hotel { city, location, max_nights, ..self.hotels[which].clone() };
        assert!(self.app.running.store.update_hotel(&self.hotels[which], &hotel).await.unwrap());
        self.app.running.engine.hotel_changed(hotel.id).await;
        self.hotels[which] = hotel;
    }

    async fn refit(&mut self) {
        let (room_type, _) = self.some_plan();
        let room_type = self.app.running.store.room_type(room_type).await.unwrap().unwrap();
        let (rooms, overbooking_allowance, occupancy) = (self.dice.u16(0..5), self.dice.i16(-1..2), self.occupancy());
        let refitted = RoomType { rooms, overbooking_allowance, occupancy, ..room_type };
        tolerate(self.app.running.engine.set_room_type(refitted).await);
    }

    async fn set_nights(&mut self) {
        let (room_type, plan) = self.some_plan();
        let from = self.day();
        let nights = NightsChange::untouched(from, from.saturating_add(self.dice.i64(1..6).days()));
        let mut flag = || if self.dice.u8(0..8) == 0 { Patch::Set(self.dice.bool()) } else { Patch::Keep };
        let (stop_sell, closed_to_arrival, closed_to_departure) = (flag(), flag(), flag());
        let mut length = || if self.dice.u8(0..12) == 0 { Patch::Set(self.dice.u8(0..4)) } else { Patch::Keep };
        let restriction = RestrictionPatch {
            stop_sell,
            closed_to_arrival,
            closed_to_departure,
            min_nights_arrival: length(),
            max_nights_arrival: length(),
            min_nights_through: length(),
            max_nights_through: length(),
        };
        let price = Patch::Set(Amount(self.dice.i64(4_000..30_000)));
        let change = match self.dice.bool() {
            true => NightsChange { rate_plan: Some(plan), price, restriction, ..nights },
            false => NightsChange { physical: Patch::Set(self.dice.u16(0..9)), restriction, ..nights },
        };
        tolerate(self.app.running.engine.set_nights(room_type, change).await);
    }

    async fn move_booking(&mut self) {
        let Some(booking) = self.dice.choice(&self.bookings).copied() else { return };
        let stay = self.stay();
        let amendment =
            Amendment { check_in: Some(stay.check_in()), check_out: Some(stay.check_out()), ..Amendment::default() };
        let act = [Move::Confirm, Move::Cancel, Move::CheckIn, Move::NoShow, Move::Amend(amendment)];
        let act = act[self.dice.usize(0..act.len())].clone();
        tolerate(self.app.running.engine.act(booking, act, MoveOptions::default()).await);
    }
}

pub fn order(stay: Stay, party: Party, rooms: u16, rate_plan: PlanChoice) -> Order {
    let ages = std::iter::repeat_n(40, party.adults.into()).chain(std::iter::repeat_n(5, party.children.into()));
    let guests = ages.map(|age| Guest::new("Ana Lopes", age).unwrap()).collect();
    Order { guests, rooms, rate_plan, ..fixtures::order_for(stay) }
}

/// A refusal of the hotel is normal; every other failure is an error.
fn tolerate<T>(result: Result<T, Error>) {
    if let Err(error) = result {
        assert!(matches!(error, Error::Refused(_)), "{error}");
    }
}

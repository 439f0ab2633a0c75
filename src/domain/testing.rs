//! Test fixtures: a small hotel with fixed ids and fixed dates.
//!
//! Used by unit tests, `tests/` and `benches/`; not by the program. The hotel is in Lisbon, which is at UTC+1 on
//! [`TODAY`]. Its one room type takes two adults and a child per room. Its one rate plan sells a night at [`PRICE`].

use std::sync::Arc;

use jiff::Span;
use jiff::civil::date;
use uuid::Uuid;

use super::catalogue::Zone;
use super::{
    Amount, BookingId, Calendar, CancellationPolicy, Command, Contact, Date, FactId, Guest, Hotel, HotelId, Inventory,
    Mobile, NightsChange, Occupancy, Order, PlanChoice, RatePlan, RatePlanId, RoomType, RoomTypeId, Service,
    ServiceBasis, ServiceId, Stay, Timestamp,
};

/// The hotel's date at the start of a test: a Friday.
pub const TODAY: Date = date(2026, 5, 1);
/// The plan's price of a night.
pub const PRICE: Amount = Amount(10_000);
/// Nights in the calendar.
pub const HORIZON: u16 = 730;

/// An id in the form of a UUIDv7 that is the same in every run.
pub const fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | number)
}

/// Noon in Lisbon, `days` after [`TODAY`].
pub fn noon(days: i64) -> Timestamp {
    TODAY.at(11, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MAX, |noon| noon.timestamp())
        + jiff::SignedDuration::from_hours(24 * days)
}

/// The date `days` after [`TODAY`].
pub fn day(days: i64) -> Date {
    TODAY.saturating_add(Span::new().days(days))
}

/// `nights` nights from `arrival` days after [`TODAY`].
pub fn stay(arrival: i64, nights: i64) -> Stay {
    Stay::new(day(arrival), day(arrival + nights)).expect("a fixture's stay has nights")
}

pub fn hotel() -> Hotel {
    Hotel {
        id: HotelId(id(1)),
        name: "Casa da Prova".to_owned(),
        city: "Lisbon".to_owned(),
        country: "PT".to_owned(),
        timezone: Zone::parse("Europe/Lisbon").expect("a zone that exists"),
        currency: "EUR".parse().expect("a currency that exists"),
        check_in_time: Hotel::DEFAULT_CHECK_IN_TIME,
        check_out_time: Hotel::DEFAULT_CHECK_OUT_TIME,
        location: None,
        max_nights: Hotel::DEFAULT_MAX_NIGHTS,
        horizon_nights: HORIZON,
    }
}

pub fn room_type(rooms: u16) -> RoomType {
    RoomType {
        id: RoomTypeId(id(2)),
        hotel_id: HotelId(id(1)),
        name: "Double".to_owned(),
        occupancy: Occupancy { max_adults: 2, max_children: 1, max_occupancy: 3 },
        rooms,
        overbooking_allowance: 0,
    }
}

/// The `number`th rate plan, cancellable until check-in.
pub fn plan(number: u64, price: Amount) -> RatePlan {
    RatePlan {
        id: RatePlanId(id(100 + number)),
        room_type_id: RoomTypeId(id(2)),
        name: format!("Plan {number}"),
        price,
        policy: CancellationPolicy::flexible(),
        nights: Default::default(),
    }
}

/// Breakfast: 12.00 for each guest and night.
pub fn breakfast() -> Service {
    Service {
        id: ServiceId(id(3)),
        hotel_id: HotelId(id(1)),
        name: "Breakfast".to_owned(),
        basis: ServiceBasis::PerPersonNight,
        price: Amount(1_200),
    }
}

/// A room type without bookings.
pub fn inventory(rooms: u16) -> Inventory {
    let calendar = Calendar::new(TODAY, HORIZON, rooms, 0);
    let hotel = Arc::new(hotel());
    Inventory::new(hotel, room_type(rooms), calendar, vec![plan(1, PRICE)], vec![breakfast()], [], 0)
}

pub fn guests(ages: &[u8]) -> Vec<Guest> {
    ages.iter().map(|age| Guest { name: "Ana Lopes".to_owned(), age: *age }).collect()
}

/// An order of two adults, or of one per room, under the cheapest plan.
pub fn order(stay: Stay, rooms: u16) -> Order {
    Order {
        rate_plan: PlanChoice::Cheapest,
        stay,
        rooms,
        guests: guests(&[34, 36].repeat(usize::from(rooms.div_ceil(2)).max(1))),
        services: Vec::new(),
        contact: Contact { mobile: Mobile::parse("+351912345678").expect("a mobile number"), email: None },
        external_reference: None,
        hold: false,
        expected_sequence: None,
        expected_on_sale: None,
        agreed_price: None,
        hold_share: None,
        forced_by: None,
    }
}

/// A command that books `order` as booking `number`; a hold lasts 15 minutes from `now`.
pub fn book(number: u64, order: Order, now: Timestamp) -> Command {
    let hold_until = now + jiff::SignedDuration::from_mins(15);
    Command::Book { id: BookingId(id(1_000 + number)), order, hold_until }
}

pub fn fact_id(number: u64) -> FactId {
    FactId(id(1_000_000 + number))
}

/// A change of `nights` nights from `first` days after [`TODAY`], without new values.
pub fn nights_change(first: i64, nights: i64) -> NightsChange {
    NightsChange::untouched(day(first), day(first + nights))
}

/// Decides a command and applies the fact.
pub fn run(inventory: &mut Inventory, command: Command, now: Timestamp) -> Result<Arc<super::Fact>, super::Refusal> {
    let fact = inventory.decide(command, fact_id(inventory.sequence() + 1), now)?;
    inventory.apply(&fact);
    Ok(Arc::new(fact))
}

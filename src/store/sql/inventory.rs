//! Rows of `inventory.sql` as inventories.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Columns, rows};
use crate::domain::stay::days_between;
use crate::domain::{
    Amount, Booking, Calendar, CancellationPolicy, Date, Hotel, Inventory, Night, RateNight, RatePlan, RatePlanId,
    Restriction, RoomType, Service, Timestamp,
};
use crate::store::Error;

/// No hotel's date at `now` is earlier: no time zone is a whole day behind UTC.
pub fn earliest_today(now: Timestamp) -> Date {
    let utc = TimeZone::UTC.to_datetime(now).date();
    utc.yesterday().unwrap_or(utc)
}

/// The inventory of an actor: the whole horizon, and every touched night beyond it.
pub fn loaded(found: Found, services: Vec<Service>, holds: Vec<Arc<Booking>>, now: Timestamp) -> Inventory {
    let hotel = Arc::new(found.hotel.clone());
    let today = hotel.today(now);
    let touched = found.last_night().map_or(0, |last| days_between(today, last) + 1);
    let length = hotel.horizon_nights.max(u16::try_from(touched).unwrap_or(0));
    let calendar = found.calendar(today, length);
    let (room_type, sequence) = (found.room_type.clone(), found.sequence);
    Inventory::new(hotel, room_type, calendar, found.plans(today), services, holds, sequence)
}

/// The inventories of search, with only what a quote reads. Room types of one hotel share the hotel.
pub fn stock(found: Vec<Found>, now: Timestamp) -> Vec<Inventory> {
    let mut last: Option<Arc<Hotel>> = None;
    let mut stock = Vec::with_capacity(found.len());
    for found in found {
        let hotel = last.take().filter(|last| **last == found.hotel).unwrap_or_else(|| Arc::new(found.hotel.clone()));
        let today = hotel.today(now);
        let calendar = found.calendar(today, u16::MAX);
        let (room_type, sequence) = (found.room_type.clone(), found.sequence);
        let plans = found.plans(today);
        stock.push(Inventory::new(hotel.clone(), room_type, calendar, plans, Vec::new(), [], sequence));
        last = Some(hotel);
    }
    stock
}

/// A room type as `inventory.sql` returns it.
pub struct Found {
    pub hotel: Hotel,
    room_type: RoomType,
    sequence: u64,
    nights: Vec<NightColumns>,
    plans: Vec<PlanColumns>,
}

/// Stop sell, closed to arrival, closed to departure, as 0 or 1.
type Closed = (u8, u8, u8);
/// Minimum and maximum nights on arrival, then through.
type Lengths = (u8, u8, u8, u8);

/// One night as an array: date, physical, out of order, allowance, sold, held, forced, restriction.
#[derive(Deserialize)]
struct NightColumns(Date, Option<u16>, u16, Option<i16>, u16, u16, u16, u8, u8, u8, u8, u8, u8, u8);

/// One night of a plan as an array: date, price, restriction.
#[derive(Deserialize)]
struct RateNightColumns(Date, Option<Amount>, u8, u8, u8, u8, u8, u8, u8);

/// One plan as an array: id, name, price, policy, nights.
#[derive(Deserialize)]
struct PlanColumns(RatePlanId, String, Amount, CancellationPolicy, Vec<RateNightColumns>);

impl Found {
    pub fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            hotel: rows::hotel(row)?,
            room_type: rows::room_type(row)?,
            sequence: row.number("sequence")?,
            nights: row.json("nights")?,
            plans: row.json("plans")?,
        })
    }

    /// The calendar of `length` nights from `first`. Nights outside are left out.
    fn calendar(&self, first: Date, length: u16) -> Calendar {
        let calendar = Calendar::new(first, length, self.room_type.rooms, self.room_type.overbooking_allowance);
        calendar.with(self.nights.iter().map(|columns| (columns.0, columns.night())))
    }

    /// The last night in the rows.
    fn last_night(&self) -> Option<Date> {
        self.nights.iter().map(|columns| columns.0).max()
    }

    /// The plans ordered by id, with their nights from `first` on.
    fn plans(self, first: Date) -> Vec<RatePlan> {
        let room_type_id = self.room_type.id;
        let plan = |PlanColumns(id, name, price, policy, nights): PlanColumns| {
            let nights = nights.iter().filter(|night| night.0 >= first).map(RateNightColumns::rate_night).collect();
            RatePlan { id, room_type_id, name, price, policy, nights }
        };
        self.plans.into_iter().map(plan).collect()
    }
}

impl NightColumns {
    fn night(&self) -> Night {
        let Self(_, physical, out_of_order, allowance, sold, held, forced, a, b, c, d, e, f, g) = *self;
        let restriction = restriction((a, b, c), (d, e, f, g));
        Night { physical, out_of_order, allowance, sold, held, forced, restriction }
    }
}

impl RateNightColumns {
    fn rate_night(&self) -> (Date, RateNight) {
        let Self(date, price, a, b, c, d, e, f, g) = *self;
        (date, RateNight { price, restriction: restriction((a, b, c), (d, e, f, g)) })
    }
}

fn restriction(closed: Closed, lengths: Lengths) -> Restriction {
    Restriction {
        stop_sell: closed.0 != 0,
        closed_to_arrival: closed.1 != 0,
        closed_to_departure: closed.2 != 0,
        min_nights_arrival: lengths.0,
        max_nights_arrival: lengths.1,
        min_nights_through: lengths.2,
        max_nights_through: lengths.3,
    }
}

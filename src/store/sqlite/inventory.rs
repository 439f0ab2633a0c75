//! Rows of `inventory.sql` as inventories.

use serde::Deserialize;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, Columns};
use crate::domain::{
    Amount, Calendar, CancellationPolicy, Date, Hotel, Night, RateNight, RatePlan, RatePlanId, Restriction, RoomType,
};
use crate::store::Error;

/// A hotel's room type as `inventory.sql` finds it.
pub(super) struct Found {
    pub hotel: Hotel,
    pub room_type: RoomType,
    pub sequence: u64,
    nights: Vec<NightColumns>,
    plans: Vec<PlanColumns>,
}

/// Stop sell, closed to arrival, closed to departure, as 0 or 1.
type Closed = (u8, u8, u8);
/// Minimum and maximum nights on arrival, then through.
type Lengths = (u8, u8, u8, u8);

/// One night as an array: date, physical, out of order, allowance, sold, held, restriction.
#[derive(Deserialize)]
struct NightColumns(Date, Option<u16>, u16, Option<i16>, u16, u16, u8, u8, u8, u8, u8, u8, u8);

/// One night of a plan as an array: date, price, restriction.
#[derive(Deserialize)]
struct RateNightColumns(Date, Option<Amount>, u8, u8, u8, u8, u8, u8, u8);

/// One plan as an array: id, name, price, policy, nights.
#[derive(Deserialize)]
struct PlanColumns(RatePlanId, String, Amount, CancellationPolicy, Vec<RateNightColumns>);

impl Found {
    pub fn read(row: &SqliteRow) -> Result<Self, Error> {
        Ok(Self {
            hotel: rows::hotel(row)?,
            room_type: rows::room_type(row)?,
            sequence: row.number("sequence")?,
            nights: row.json("nights")?,
            plans: row.json("plans")?,
        })
    }

    /// The calendar of `length` nights from `first` on. Other nights, though they were read, are left out.
    pub fn calendar(&self, first: Date, length: u16) -> Calendar {
        let calendar = Calendar::new(first, length, self.room_type.rooms, self.room_type.overbooking_allowance);
        calendar.with(self.nights.iter().map(|columns| (columns.0, columns.night())))
    }

    /// The last night that was read.
    pub fn last_night(&self) -> Option<Date> {
        self.nights.iter().map(|columns| columns.0).max()
    }

    /// The plans in order of their ids, with their nights from `first` on.
    pub fn plans(self, first: Date) -> Vec<RatePlan> {
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
        let Self(_, physical, out_of_order, allowance, sold, held, a, b, c, d, e, f, g) = *self;
        let restriction = restriction((a, b, c), (d, e, f, g));
        Night { physical, out_of_order, allowance, sold, held, restriction }
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

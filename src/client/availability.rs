//! The nights of a room type.

use serde::Deserialize;
use uuid::Uuid;

use super::{Client, Request};
use crate::domain::Date;

/// The nights of a room type. A night that is missing is not for sale.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Availability {
    /// Grows by one with every booking and every change of nights.
    pub sequence: u64,
    pub nights: Vec<Night>,
}

/// One night.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Night {
    pub date: Date,
    /// Rooms that exist.
    pub physical: u16,
    pub out_of_order: u16,
    pub overbooking_allowance: i16,
    pub sold: u16,
    pub held: u16,
    /// Rooms beyond the capacity, because the administrator forced a lower one.
    #[serde(default)]
    pub forced: u16,
    /// Rooms that can still be sold.
    pub free: u16,
    /// Nothing is sold on this night, even when rooms are free.
    pub closed: bool,
    /// Price of one room by the cheapest open plan, in minor units.
    #[serde(default)]
    pub price_minor: Option<i64>,
}

impl Client {
    /// The nights [from, to) of a room type.
    pub fn availability(&self, room_type: Uuid, from: Date, to: Date) -> Request<'_, Availability> {
        self.read(format!("/v1/room-types/{room_type}/availability")).query(&[("from", from), ("to", to)])
    }
}

//! The column `prices` of a booking. Usually all rooms have the same prices, and it is a list of amounts. Otherwise it
//! has the list of the first rooms and the groups of rooms that were added later.

use serde::{Deserialize, Serialize};

use crate::domain::{AddedRooms, Amount, Booking};

/// The column as it is written.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum PricesColumn<'a> {
    Alike(&'a [Amount]),
    Different { first: &'a [Amount], added: &'a [AddedRooms] },
}

/// The column as it is read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum StoredPrices {
    Alike(Vec<Amount>),
    Different { first: Vec<Amount>, added: Vec<AddedRooms> },
}

impl<'a> PricesColumn<'a> {
    pub fn of(booking: &'a Booking) -> Self {
        match booking.added.is_empty() {
            true => Self::Alike(&booking.prices),
            false => Self::Different { first: &booking.prices, added: &booking.added },
        }
    }
}

impl StoredPrices {
    /// The prices of the first rooms, and the groups of added rooms.
    pub fn into_parts(self) -> (Vec<Amount>, Vec<AddedRooms>) {
        match self {
            Self::Alike(prices) => (prices, Vec::new()),
            Self::Different { first, added } => (first, added),
        }
    }
}

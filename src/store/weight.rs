//! Estimates of bytes: how large an answer, or an entry of a commit, is on its way into the store.
//!
//! An estimate counts what a client can make long (names, guests, services, nights), and adds a round sum for the rest. It
//! costs a walk over the lengths, without an allocation.

use super::{Answer, CommitEntry};
use crate::domain::{Booking, Change};

/// A row with its short columns: ids, dates, counters, and a policy.
const ROW: usize = 1_024;
/// A guest or a service beside its name.
const ITEM: usize = 96;
/// What a booking writes for a night beside its prices: a counter, and a line of the event.
const NIGHT: usize = 128;
/// The settings of a night, with its restrictions.
const NIGHT_SETTINGS: usize = 384;
/// An amount of money.
const AMOUNT: usize = 8;

impl CommitEntry {
    /// Roughly the bytes that the entry brings into a commit.
    pub fn bytes(&self) -> usize {
        let change = match &self.fact.change {
            _ if self.answer_only => 0,
            Change::Booking { booking, deltas, .. } => booking_bytes(booking) + NIGHT * deltas.len(),
            Change::Nights { nights, rates, .. } => NIGHT_SETTINGS * (nights.len() + rates.len()),
            Change::RoomType { .. } | Change::RatePlan { .. } => 0,
        };
        let answer = self.record.as_ref().map_or(0, |(_, record)| record.answer.bytes());
        ROW * (1 + self.jobs.len()) + change + answer
    }
}

impl Answer {
    /// Roughly the bytes of the answer.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Booking(booking) => booking_bytes(booking),
            Self::Hotel(_) | Self::RoomType(_) | Self::RatePlan(_) | Self::Service(_) | Self::Unknown(_) => ROW,
        }
    }
}

fn booking_bytes(booking: &Booking) -> usize {
    let guests: usize = booking.guests.iter().map(|guest| guest.name.len() + ITEM).sum();
    let services: usize = booking.services.iter().map(|service| service.name.len() + ITEM).sum();
    let prices = AMOUNT * booking.prices.len() * (1 + booking.added.len());
    ROW + guests + services + prices
}

//! Bookings: their states, and the nights that each state occupies.

use serde::{Deserialize, Serialize};

use super::stay::{dates, days_between};
use super::{
    Amount, BookedService, BookingId, CancellationPolicy, Contact, Currency, Date, Guest, HotelId, NightDelta, Party,
    RatePlanId, Refusal, RoomTypeId, Stay, Timestamp,
};

/// One stay of `rooms` rooms of one room type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    pub id: BookingId,
    pub hotel_id: HotelId,
    pub room_type_id: RoomTypeId,
    pub rate_plan_id: RatePlanId,
    #[serde(flatten)]
    pub status: Status,
    pub stay: Stay,
    pub rooms: u16,
    pub guests: Vec<Guest>,
    /// Price of one of the first rooms for each night of the stay, frozen at sale.
    pub prices: Vec<Amount>,
    /// Rooms that were added later, in order. Each group keeps the prices of the day when it was added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<AddedRooms>,
    pub services: Vec<BookedService>,
    pub contact: Contact,
    pub external_reference: Option<String>,
    pub policy: CancellationPolicy,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// The version: the room type's sequence number of the last change of this booking.
    pub sequence: u64,
}

/// Rooms that one change added to a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedRooms {
    pub rooms: u16,
    /// Price of one of these rooms for each night of the stay.
    pub prices: Vec<Amount>,
}

/// The state of a booking, with the data of that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    Held {
        expires_at: Timestamp,
    },
    Confirmed,
    InHouse,
    /// The guests slept the nights before `departed`.
    CheckedOut {
        departed: Date,
    },
    Cancelled {
        fee_minor: Amount,
    },
    /// The nights before `kept_until` stay sold: the first night, and the nights that were over at the time of the
    /// move.
    NoShow {
        fee_minor: Amount,
        /// `None`: the first night alone, as older versions wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_until: Option<Date>,
    },
    /// A hold that expired.
    Expired,
    /// A hold that was cancelled.
    Released,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Confirmed => "confirmed",
            Self::InHouse => "in_house",
            Self::CheckedOut { .. } => "checked_out",
            Self::Cancelled { .. } => "cancelled",
            Self::NoShow { .. } => "no_show",
            Self::Expired => "expired",
            Self::Released => "released",
        }
    }

    /// Every status name, in the order of a booking's life.
    pub const NAMES: [&'static str; 8] =
        ["held", "confirmed", "in_house", "checked_out", "cancelled", "no_show", "expired", "released"];

    /// Whether no further move is possible.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Held { .. } | Self::Confirmed | Self::InHouse)
    }

    pub const fn expires_at(self) -> Option<Timestamp> {
        match self {
            Self::Held { expires_at } => Some(expires_at),
            _ => None,
        }
    }

    /// The fee for a cancellation or a no-show.
    pub const fn fee(self) -> Option<Amount> {
        match self {
            Self::Cancelled { fee_minor } | Self::NoShow { fee_minor, .. } => Some(fee_minor),
            _ => None,
        }
    }

    /// The nights and counter that `rooms` rooms occupy in this state. This function alone says which states take
    /// inventory. The calendar, the store's counters and `verify` follow from it.
    pub fn footprint(self, stay: Stay, rooms: u16) -> Option<Footprint> {
        let (stay, counter) = match self {
            Self::Held { .. } => (stay, Counter::Held),
            Self::Confirmed | Self::InHouse => (stay, Counter::Sold),
            Self::CheckedOut { departed } => (stay.until(departed), Counter::Sold),
            Self::NoShow { kept_until, .. } => (stay.until(kept_until.unwrap_or(stay.check_in())), Counter::Sold),
            Self::Cancelled { .. } | Self::Expired | Self::Released => return None,
        };
        Some(Footprint { stay, counter, rooms })
    }
}

/// The counter of a night that includes a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    Sold,
    Held,
}

/// The nights that a booking occupies, with the counter and the number of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    pub stay: Stay,
    pub counter: Counter,
    pub rooms: u16,
}

impl Booking {
    /// The footprint of the booking in its present state.
    pub fn footprint(&self) -> Option<Footprint> {
        self.status.footprint(self.stay, self.rooms)
    }

    pub fn party(&self) -> Party {
        Party::of(&self.guests)
    }

    /// The rooms in groups that were sold together, with the prices of one room for each night. The first group comes
    /// first.
    pub fn room_groups(&self) -> impl Iterator<Item = (u16, &[Amount])> {
        let added = self.added.iter().map(|group| (group.rooms, group.prices.as_slice()));
        let others = added.clone().map(|(rooms, _)| rooms).fold(0, u16::saturating_add);
        std::iter::once((self.rooms.saturating_sub(others), self.prices.as_slice())).chain(added)
    }

    /// The price of each night for all rooms, in order.
    pub fn nightly_totals(&self) -> impl Iterator<Item = Amount> {
        let of_group = |night: usize, (rooms, prices): (u16, &[Amount])| {
            prices.get(night).copied().unwrap_or_default().times(u64::from(rooms))
        };
        (0..self.prices.len()).map(move |night| self.room_groups().map(|group| of_group(night, group)).sum())
    }

    /// Whether the change to `after` gives back a night, a room, or a part of a night's price.
    pub fn gives_back(&self, after: &Self) -> bool {
        let kept: Vec<Amount> = after.nightly_totals().collect();
        let cheaper = |(date, cost): (Date, Amount)| {
            let night = usize::try_from(days_between(after.stay.check_in(), date)).ok();
            night.and_then(|night| kept.get(night)).is_none_or(|kept| *kept < cost)
        };
        after.rooms < self.rooms || self.stay.dates().zip(self.nightly_totals()).any(cheaper)
    }

    /// The price of nights and services.
    pub fn total(&self) -> Amount {
        let nights: Amount = self.nightly_totals().sum();
        nights + self.services.iter().map(|service| service.amount).sum()
    }

    /// This booking, or a refusal if its total is too large to sell.
    pub fn sellable(self) -> Result<Self, Refusal> {
        match self.total().is_sellable() {
            true => Ok(self),
            false => Err(Refusal::TotalTooLarge),
        }
    }
}

/// The net change per night when a booking changes its footprint. Nights that it gives back and takes again cancel out,
/// so a stay may overlap itself. Dates ascend; nights without a change are left out.
pub fn net_change(before: Option<Footprint>, after: Option<Footprint>) -> Vec<NightDelta> {
    let mut deltas = Vec::with_capacity(span(before).max(span(after)));
    let first = [before, after].into_iter().flatten().map(|print| print.stay.check_in()).min();
    let end = [before, after].into_iter().flatten().map(|print| print.stay.check_out()).max();
    let (Some(first), Some(end)) = (first, end) else { return deltas };
    for date in dates(first, end) {
        let (sold_before, held_before) = occupied(before, date);
        let (sold_after, held_after) = occupied(after, date);
        let delta = NightDelta { date, sold: sold_after - sold_before, held: held_after - held_before };
        if delta.sold != 0 || delta.held != 0 {
            deltas.push(delta);
        }
    }
    deltas
}

fn span(print: Option<Footprint>) -> usize {
    print.map_or(0, |print| usize::from(print.stay.nights()))
}

/// Rooms (sold, held) that a footprint occupies on a night.
fn occupied(print: Option<Footprint>, date: Date) -> (i32, i32) {
    match print {
        Some(Footprint { stay, counter, rooms }) if stay.contains(date) => match counter {
            Counter::Sold => (i32::from(rooms), 0),
            Counter::Held => (0, i32::from(rooms)),
        },
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn footprint(from: i8, nights: i8, counter: Counter, rooms: u16) -> Footprint {
        let stay = Stay::new(date(2026, 5, from), date(2026, 5, from + nights)).unwrap();
        Footprint { stay, counter, rooms }
    }

    #[test]
    fn a_stay_may_overlap_itself() {
        let before = footprint(1, 3, Counter::Sold, 1);
        let after = footprint(2, 3, Counter::Sold, 1);
        let deltas = net_change(Some(before), Some(after));
        assert_eq!(
            deltas,
            [
                NightDelta { date: date(2026, 5, 1), sold: -1, held: 0 },
                NightDelta { date: date(2026, 5, 4), sold: 1, held: 0 },
            ]
        );
    }

    #[test]
    fn confirming_a_hold_moves_it_from_held_to_sold() {
        let held = footprint(1, 1, Counter::Held, 2);
        let sold = footprint(1, 1, Counter::Sold, 2);
        assert_eq!(net_change(Some(held), Some(sold)), [NightDelta { date: date(2026, 5, 1), sold: 2, held: -2 }]);
    }

    #[test]
    fn every_status_is_in_the_list_of_names() {
        let states = [
            Status::Held { expires_at: Timestamp::UNIX_EPOCH },
            Status::Confirmed,
            Status::InHouse,
            Status::CheckedOut { departed: date(2026, 1, 1) },
            Status::Cancelled { fee_minor: Amount::ZERO },
            Status::NoShow { fee_minor: Amount::ZERO, kept_until: None },
            Status::Expired,
            Status::Released,
        ];
        assert_eq!(states.map(Status::name), Status::NAMES);
    }

    prop_compose! {
        fn any_footprint()(from in 1..15i8, nights in 1..15i8, held: bool, rooms in 1..5u16) -> Footprint {
            footprint(from, nights, if held { Counter::Held } else { Counter::Sold }, rooms)
        }
    }

    proptest! {
        #[test]
        fn a_change_equals_a_release_and_a_sale(
            before in proptest::option::of(any_footprint()),
            after in proptest::option::of(any_footprint()),
        ) {
            let mut sum = std::collections::BTreeMap::new();
            for delta in net_change(before, None).into_iter().chain(net_change(None, after)) {
                let night: &mut (i32, i32) = sum.entry(delta.date).or_default();
                night.0 += delta.sold;
                night.1 += delta.held;
            }
            let changed: Vec<_> = net_change(before, after).iter().map(|d| (d.date, (d.sold, d.held))).collect();
            let summed: Vec<_> = sum.into_iter().filter(|(_, counts)| *counts != (0, 0)).collect();
            prop_assert_eq!(changed, summed);
        }
    }
}

//! The calendar: what is left of one room type, night by night, over a rolling horizon.

use serde::{Deserialize, Serialize};

use super::stay::days_between;
use super::{Date, Restriction};

/// The most rooms of one type a hotel can have; keeps every sum of a night far inside its integer.
pub const MAX_ROOMS: u16 = 10_000;

/// One night of a room type. A night nobody has touched is [`Night::default`]: 22 bytes, all of them zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Rooms that exist; `None` follows the room type.
    pub physical: Option<u16>,
    /// Rooms that exist but cannot be slept in.
    pub out_of_order: u16,
    /// Rooms sold beyond (or, negative, kept back from) what exists; `None` follows the room type.
    pub allowance: Option<i16>,
    /// Rooms of confirmed and present guests.
    pub sold: u16,
    /// Rooms of live holds.
    pub held: u16,
    pub restriction: Restriction,
}

impl Night {
    /// Rooms that are sold or held.
    pub const fn taken(&self) -> u16 {
        self.sold.saturating_add(self.held)
    }
}

/// How many rooms a booking takes from (or, negative, gives back to) one night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightDelta {
    pub date: Date,
    pub sold: i32,
    pub held: i32,
}

/// The nights of one room type from `first` on. A date outside has no inventory, and so is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    first: Date,
    nights: Box<[Night]>,
    rooms: u16,
    allowance: i16,
}

impl Calendar {
    /// `horizon` untouched nights beginning with `first`, of a type with `rooms` rooms.
    pub fn new(first: Date, horizon: u16, rooms: u16, allowance: i16) -> Self {
        Self { first, nights: vec![Night::default(); usize::from(horizon)].into(), rooms, allowance }
    }

    pub const fn first(&self) -> Date {
        self.first
    }

    /// The first date after the last night.
    pub fn end(&self) -> Date {
        self.date(self.nights.len())
    }

    /// The night that begins on `date`, unless it is outside of the horizon.
    pub fn night(&self, date: Date) -> Option<&Night> {
        self.nights.get(self.index(date)?)
    }

    pub fn night_mut(&mut self, date: Date) -> Option<&mut Night> {
        let index = self.index(date)?;
        self.nights.get_mut(index)
    }

    /// Every night with its date, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &Night)> {
        self.nights.iter().enumerate().map(|(index, night)| (self.date(index), night))
    }

    /// The nights of [from, to) that lie inside the horizon, with their dates, in order.
    pub fn range(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, &Night)> {
        let inside = |date: Date| usize::try_from(days_between(self.first, date)).unwrap_or(0).min(self.nights.len());
        let (start, end) = (inside(from), inside(to));
        self.nights[start..end.max(start)]
            .iter()
            .enumerate()
            .map(move |(index, night)| (self.date(start + index), night))
    }

    /// Rooms that exist on a night.
    pub fn physical(&self, night: &Night) -> u16 {
        night.physical.unwrap_or(self.rooms)
    }

    pub fn allowance(&self, night: &Night) -> i16 {
        night.allowance.unwrap_or(self.allowance)
    }

    /// The most that may be sold and held on a night: physical − out of order + allowance, never below zero.
    pub fn capacity(&self, night: &Night) -> u16 {
        capacity(self.physical(night), night.out_of_order, self.allowance(night))
    }

    /// What is still for sale on a night.
    pub fn free(&self, night: &Night) -> u16 {
        self.capacity(night).saturating_sub(night.taken())
    }

    /// Moves the counters. Dates outside of the horizon are history: only the store still counts them.
    pub fn apply(&mut self, deltas: &[NightDelta]) {
        for delta in deltas {
            if let Some(night) = self.night_mut(delta.date) {
                night.sold = moved(night.sold, delta.sold);
                night.held = moved(night.held, delta.held);
            }
        }
    }

    /// Sets what the nights fall back to.
    pub fn set_defaults(&mut self, rooms: u16, allowance: i16) {
        self.rooms = rooms;
        self.allowance = allowance;
    }

    /// Lets the days before `today` go and opens as many at the far end. Time never goes back.
    pub fn roll(&mut self, today: Date) {
        let gone = usize::try_from(days_between(self.first, today)).unwrap_or(0).min(self.nights.len());
        if gone == 0 {
            return;
        }
        self.nights.rotate_left(gone);
        let kept = self.nights.len() - gone;
        self.nights[kept..].fill(Night::default());
        self.first = today;
    }

    /// Whether every night keeps the first promise: sold + held ≤ capacity.
    pub fn is_sound(&self) -> bool {
        self.nights.iter().all(|night| u32::from(night.sold) + u32::from(night.held) <= u32::from(self.capacity(night)))
    }

    /// Bytes this calendar occupies.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.nights)
    }

    fn index(&self, date: Date) -> Option<usize> {
        usize::try_from(days_between(self.first, date)).ok()
    }

    fn date(&self, index: usize) -> Date {
        let days = i64::try_from(index).unwrap_or(i64::MAX);
        self.first.saturating_add(jiff::SignedDuration::from_hours(days.saturating_mul(24)))
    }
}

/// Physical − out of order + allowance, never below zero.
pub fn capacity(physical: u16, out_of_order: u16, allowance: i16) -> u16 {
    let rooms = i32::from(physical) - i32::from(out_of_order) + i32::from(allowance);
    u16::try_from(rooms.max(0)).unwrap_or(u16::MAX)
}

fn moved(counter: u16, by: i32) -> u16 {
    let moved = i32::from(counter) + by;
    debug_assert!((0..=i32::from(u16::MAX)).contains(&moved), "a counter of {counter} cannot move by {by}");
    u16::try_from(moved.max(0)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_idle_calendar_of_two_years_fits_16_kib() {
        assert!(Calendar::new(date(2026, 1, 1), 730, 10, 0).memory() < 16 * 1024);
    }

    #[test]
    fn capacity_is_never_negative() {
        assert_eq!(capacity(2, 1, 3), 4);
        assert_eq!(capacity(2, 1, -5), 0);
        assert_eq!(capacity(u16::MAX, 0, i16::MAX), u16::MAX);
    }

    #[test]
    fn dates_outside_the_horizon_have_no_night() {
        let calendar = Calendar::new(date(2026, 1, 1), 10, 1, 0);
        assert!(calendar.night(date(2025, 12, 31)).is_none());
        assert!(calendar.night(date(2026, 1, 10)).is_some());
        assert!(calendar.night(date(2026, 1, 11)).is_none());
        assert_eq!(calendar.end(), date(2026, 1, 11));
    }

    #[test]
    fn rolling_forgets_the_past_and_opens_the_future() {
        let mut calendar = Calendar::new(date(2026, 1, 1), 10, 5, 0);
        for day in [1, 4, 10] {
            calendar.night_mut(date(2026, 1, day)).unwrap().sold = 2;
        }
        calendar.roll(date(2026, 1, 4));
        assert_eq!((calendar.first(), calendar.end()), (date(2026, 1, 4), date(2026, 1, 14)));
        assert_eq!(calendar.night(date(2026, 1, 4)).unwrap().sold, 2);
        assert_eq!(calendar.night(date(2026, 1, 10)).unwrap().sold, 2);
        assert_eq!(calendar.night(date(2026, 1, 13)), Some(&Night::default()));
        calendar.roll(date(2026, 1, 1));
        assert_eq!(calendar.first(), date(2026, 1, 4));
        calendar.roll(date(2027, 1, 1));
        assert_eq!(calendar.iter().filter(|(_, night)| **night != Night::default()).count(), 0);
        assert_eq!(calendar.first(), date(2027, 1, 1));
    }
}

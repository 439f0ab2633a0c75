//! The calendar: capacity, counters and restrictions of one room type, night by night, over a rolling horizon.
//!
//! Only nights that were changed are stored. All others equal [`Night::default`]. The calendar of a room type without
//! bookings is a few bytes.

use serde::{Deserialize, Serialize};

use super::by_date::ByDate;
use super::{Date, Restriction};

/// The most rooms that a room type can have. Sums of a night then fit far inside their integers.
pub const MAX_ROOMS: u16 = 10_000;

/// One night of a room type. An unchanged night is [`Night::default`]: 24 bytes, all zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Rooms that exist. `None`: the number of the room type.
    pub physical: Option<u16>,
    /// Rooms that exist but cannot be used.
    pub out_of_order: u16,
    /// Rooms that may be sold beyond the physical ones. A negative number keeps rooms back. `None`: as the room type
    /// says.
    pub allowance: Option<i16>,
    /// Rooms of confirmed bookings and of guests in house.
    pub sold: u16,
    /// Rooms of live holds.
    pub held: u16,
    /// Rooms taken beyond the capacity, because a lower capacity was forced. This exception covers the guests of that
    /// moment. It shrinks as they leave or as capacity returns, and no sale makes it grow.
    #[serde(default)]
    pub forced: u16,
    pub restriction: Restriction,
}

impl Night {
    /// Rooms that are sold or held.
    pub const fn taken(&self) -> u16 {
        self.sold.saturating_add(self.held)
    }

    /// Removes the part of a forced exception that no guest needs any more.
    fn shrink_exception(&mut self, capacity: u16) {
        self.forced = self.forced.min(self.taken().saturating_sub(capacity));
    }
}

/// The rooms that a booking takes from one night. Negative numbers are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightDelta {
    pub date: Date,
    pub sold: i32,
    pub held: i32,
}

/// The value of every unchanged night.
static UNTOUCHED: Night = Night {
    physical: None,
    out_of_order: 0,
    allowance: None,
    sold: 0,
    held: 0,
    forced: 0,
    restriction: Restriction::NONE,
};

/// The nights of one room type from `first` on. A date outside has no inventory and is closed.
#[derive(Debug, Clone)]
pub struct Calendar {
    first: Date,
    /// The date after the last night: `first` plus `length` nights.
    end: Date,
    length: u16,
    touched: ByDate<Night>,
    rooms: u16,
    allowance: i16,
}

impl Calendar {
    /// `length` unchanged nights from `first`, of a type with `rooms` rooms.
    pub fn new(first: Date, length: u16, rooms: u16, allowance: i16) -> Self {
        Self { first, end: after(first, length), length, touched: ByDate::default(), rooms, allowance }
    }

    /// Replaces all changed nights by those of `nights` that lie inside the horizon.
    pub fn with(mut self, nights: impl IntoIterator<Item = (Date, Night)>) -> Self {
        let inside = self.first..self.end;
        self.touched = nights.into_iter().filter(|(date, _)| inside.contains(date)).collect();
        self
    }

    pub const fn first(&self) -> Date {
        self.first
    }

    /// The first date after the last night.
    pub const fn end(&self) -> Date {
        self.end
    }

    /// The night that begins on `date`. `None` outside the horizon.
    pub fn night(&self, date: Date) -> Option<&Night> {
        self.has(date).then(|| self.touched.get(date).unwrap_or(&UNTOUCHED))
    }

    pub fn night_mut(&mut self, date: Date) -> Option<&mut Night> {
        self.has(date).then(|| self.touched.entry(date))
    }

    /// Every night with its date, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &Night)> {
        self.range(self.first, self.end)
    }

    /// The nights of [from, to) that lie inside the horizon, with their dates, in order.
    pub fn range(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, &Night)> {
        let nights = self.touched.walk(from.max(self.first), to.min(self.end));
        nights.map(|(date, night)| (date, night.unwrap_or(&UNTOUCHED)))
    }

    /// Every date of [from, to) in order, with its night. Dates outside the horizon have none.
    pub fn nights(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, Option<&Night>)> {
        let night = |(date, night): (Date, Option<_>)| (date, self.has(date).then(|| night.unwrap_or(&UNTOUCHED)));
        self.touched.walk(from, to).map(night)
    }

    /// The changed nights of [from, to) with their dates, in order.
    pub fn touched(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, &Night)> {
        self.touched.range(from, to)
    }

    /// Rooms that exist on a night.
    pub fn physical(&self, night: &Night) -> u16 {
        night.physical.unwrap_or(self.rooms)
    }

    pub fn allowance(&self, night: &Night) -> i16 {
        night.allowance.unwrap_or(self.allowance)
    }

    /// The most rooms that may be sold and held on a night: physical − out of order + allowance, never below zero.
    pub fn capacity(&self, night: &Night) -> u16 {
        capacity(self.physical(night), night.out_of_order, self.allowance(night))
    }

    /// Rooms taken beyond the capacity of a night.
    pub fn excess(&self, night: &Night) -> u16 {
        night.taken().saturating_sub(self.capacity(night))
    }

    /// Rooms that are still for sale on a night. None while a forced exception lasts.
    pub fn free(&self, night: &Night) -> u16 {
        self.capacity(night).saturating_sub(night.taken())
    }

    /// Changes the counters. Dates outside the horizon are ignored; only the store still counts them.
    pub fn apply(&mut self, deltas: &[NightDelta]) {
        for delta in deltas {
            let Some(capacity) = self.night(delta.date).map(|night| self.capacity(night)) else { continue };
            if let Some(night) = self.night_mut(delta.date) {
                night.sold = moved(night.sold, delta.sold);
                night.held = moved(night.held, delta.held);
                night.shrink_exception(capacity);
            }
        }
    }

    /// Sets the room type's values, which apply to nights without own values.
    pub fn set_defaults(&mut self, rooms: u16, allowance: i16) {
        self.rooms = rooms;
        self.allowance = allowance;
        let forced = self.touched.iter().filter(|(_, night)| night.forced > 0);
        for (date, capacity) in forced.map(|(date, night)| (date, self.capacity(night))).collect::<Vec<_>>() {
            self.touched.entry(date).shrink_exception(capacity);
        }
    }

    /// Drops the nights before `today` and adds the same number at the end. Dropped nights do not come back: after the
    /// clock was set back, the calendar must be loaded again.
    pub fn roll(&mut self, today: Date) {
        if today > self.first {
            self.touched.forget_before(today);
            self.first = today;
            self.end = after(today, self.length);
        }
    }

    /// Whether sold + held ≤ capacity on every night, apart from forced exceptions, and no exception is larger than
    /// needed.
    pub fn is_sound(&self) -> bool {
        let sound = |night: &Night| {
            let taken = u32::from(night.sold) + u32::from(night.held);
            u32::from(night.forced) == taken.saturating_sub(self.capacity(night).into())
        };
        self.touched.iter().all(|(_, night)| sound(night))
    }

    /// The memory of this calendar, in bytes.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.touched.memory()
    }

    fn has(&self, date: Date) -> bool {
        self.first <= date && date < self.end
    }
}

/// Two calendars are equal if all their nights are, stored or not.
impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        let differing = |calendar: &Self| {
            let nights = calendar.touched.iter().filter(|(_, night)| **night != UNTOUCHED);
            nights.map(|(date, night)| (date, *night)).collect::<Vec<_>>()
        };
        (self.first, self.length, self.rooms, self.allowance)
            == (other.first, other.length, other.rooms, other.allowance)
            && differing(self) == differing(other)
    }
}

impl Eq for Calendar {}

/// Physical − out of order + allowance, never below zero.
pub fn capacity(physical: u16, out_of_order: u16, allowance: i16) -> u16 {
    let rooms = i32::from(physical) - i32::from(out_of_order) + i32::from(allowance);
    u16::try_from(rooms.max(0)).unwrap_or(u16::MAX)
}

/// The date `nights` after `first`.
fn after(first: Date, nights: u16) -> Date {
    first.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(nights)))
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
    fn only_changed_nights_use_memory() {
        let mut calendar = Calendar::new(date(2026, 1, 1), 730, 10, 0);
        assert!(calendar.memory() < 64);
        for (date, _) in calendar.clone().iter() {
            calendar.night_mut(date).unwrap().sold = 1;
        }
        assert!(calendar.memory() < 32 * 1024);
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
    fn rolling_drops_past_nights_and_adds_new_ones() {
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

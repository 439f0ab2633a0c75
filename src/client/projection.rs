//! The projection: the nights of a subscription, built from its frames alone.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::{Currency, Date};
use crate::ws::frame::{Change, ServerFrame, Snapshot};

/// The room types of a subscription.
#[derive(Debug, Default)]
pub struct Projection {
    room_types: BTreeMap<Uuid, WatchedRoomType>,
}

/// One room type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedRoomType {
    /// The sequence number of the last frame.
    pub sequence: u64,
    pub currency: Option<Currency>,
    pub nights: BTreeMap<Date, WatchedNight>,
}

/// One night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedNight {
    pub physical: u16,
    pub sold: u16,
    pub held: u16,
    pub free: u16,
    /// Price of one room in minor units. `None`: the night is closed, even when rooms are free.
    pub price: Option<i64>,
}

impl Projection {
    /// Applies a frame. `false` if it changes nothing.
    pub fn apply(&mut self, frame: &ServerFrame) -> bool {
        match frame {
            ServerFrame::Snapshot(snapshot) => {
                self.room_types.insert(snapshot.room_type_id, WatchedRoomType::of(snapshot));
                true
            }
            ServerFrame::Change(change) => {
                self.room_types.get_mut(&change.room_type_id).is_some_and(|room_type| room_type.apply(change))
            }
            ServerFrame::Current(_) | ServerFrame::Error(_) | ServerFrame::Pong(_) => false,
        }
    }

    /// The last sequence number of each room type. A new connection resumes there.
    pub fn seen(&self) -> BTreeMap<Uuid, u64> {
        self.room_types.iter().map(|(id, room_type)| (*id, room_type.sequence)).collect()
    }

    /// The number of nights and of room types.
    pub fn size(&self) -> (usize, usize) {
        let nights = self.room_types.values().map(|room_type| room_type.nights.len()).max();
        (nights.unwrap_or(0), self.room_types.len())
    }

    /// The sum of all room types on a night.
    pub fn total(&self, date: Date) -> Total {
        let nights = self.room_types.values().filter_map(|room_type| room_type.nights.get(&date));
        nights.fold(Total::default(), |total, night| Total {
            free: total.free + u32::from(night.free),
            physical: total.physical + u32::from(night.physical),
            taken: total.taken + u32::from(night.sold) + u32::from(night.held),
        })
    }

    /// The room types in a stable order.
    pub fn room_types(&self) -> impl Iterator<Item = (Uuid, &WatchedRoomType)> {
        self.room_types.iter().map(|(id, room_type)| (*id, room_type))
    }
}

/// The rooms of all types on a night.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    pub free: u32,
    pub physical: u32,
    pub taken: u32,
}

impl Total {
    /// Rooms taken, in percent of those that can be sold.
    pub fn occupancy(self) -> u32 {
        (100 * self.taken).checked_div(self.taken + self.free).unwrap_or(100)
    }
}

impl WatchedRoomType {
    fn of(snapshot: &Snapshot) -> Self {
        let night = |index: usize| {
            Some(WatchedNight {
                physical: *snapshot.physical.get(index)?,
                sold: *snapshot.sold.get(index)?,
                held: *snapshot.held.get(index)?,
                free: *snapshot.free.get(index)?,
                price: *snapshot.price_minor.get(index)?,
            })
        };
        let nights = dated(snapshot.from.0).zip((0..).map_while(night)).collect();
        Self { sequence: snapshot.sequence, currency: snapshot.currency.parse().ok(), nights }
    }

    /// Applies a change, unless it is older than the last frame.
    fn apply(&mut self, change: &Change) -> bool {
        if change.sequence <= self.sequence {
            return false;
        }
        self.sequence = change.sequence;
        for (date, counts) in counts(change) {
            if let Some(night) = self.nights.get_mut(&date) {
                (night.sold, night.held, night.free) = counts;
            }
        }
        true
    }
}

/// The nights of a change, with the rooms that are sold, held and free.
pub fn counts(change: &Change) -> impl Iterator<Item = (Date, (u16, u16, u16))> {
    let counts = change.sold.iter().zip(&change.held).zip(&change.free);
    dated(change.from.0).zip(counts.map(|((sold, held), free)| (*sold, *held, *free)))
}

fn dated(from: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |date| date.tomorrow().ok())
}

impl WatchedNight {
    /// Rooms taken, in percent of those that can be sold.
    pub fn occupancy(self) -> u32 {
        let taken = u32::from(self.sold) + u32::from(self.held);
        (100 * taken).checked_div(taken + u32::from(self.free)).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::client::testing::{change, frame, room_type, snapshot};

    fn night(projection: &Projection, day: i8) -> WatchedNight {
        projection.room_types().next().unwrap().1.nights[&date(2026, 6, day)]
    }

    #[test]
    fn a_snapshot_replaces_everything_and_a_change_replaces_its_nights() {
        let mut projection = Projection::default();
        assert!(projection.apply(&snapshot(1, 7)));
        assert_eq!(night(&projection, 2), WatchedNight { physical: 4, sold: 1, held: 1, free: 2, price: Some(12_000) });
        assert_eq!(night(&projection, 3).price, None);
        assert!(projection.apply(&change(1, 9)));
        assert_eq!(night(&projection, 2), WatchedNight { physical: 4, sold: 4, held: 0, free: 0, price: Some(12_000) });
        assert_eq!(night(&projection, 1).free, 4);
        assert_eq!(projection.seen(), [(room_type(1), 9)].into());
    }

    #[test]
    fn an_old_change_and_a_change_of_an_unknown_room_type_have_no_effect() {
        let mut projection = Projection::default();
        assert!(!projection.apply(&change(1, 3)));
        projection.apply(&snapshot(1, 7));
        assert!(!projection.apply(&change(1, 7)));
        assert_eq!(night(&projection, 2).sold, 1);
        assert!(!projection.apply(&frame(r#"{"type":"pong"}"#)));
    }

    #[test]
    fn a_frame_with_arrays_of_different_lengths_counts_as_long_as_the_shortest() {
        let short = r#"{"type":"snapshot","room_type_id":"00000000-0000-0000-0000-000000000001","sequence":1,
            "from":"2026-06-01","currency":"EUR","physical":[4,4],"sold":[1],"held":[0,0],"free":[3,3],
            "price_minor":[1,1]}"#;
        let mut projection = Projection::default();
        projection.apply(&frame(short));
        assert_eq!(projection.room_types().next().unwrap().1.nights.len(), 1);
    }

    #[test]
    fn occupancy_is_the_share_of_rooms_that_are_taken() {
        let night = |sold, held, free| WatchedNight { physical: 9, sold, held, free, price: Some(1) }.occupancy();
        assert_eq!([night(0, 0, 4), night(1, 1, 2), night(4, 0, 0), night(0, 0, 0)], [0, 50, 100, 100]);
    }
}

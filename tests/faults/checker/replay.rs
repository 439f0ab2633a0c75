//! The past of every room type, rebuilt from its events alone: the nights after each event.

use std::collections::BTreeMap;

use innkeeper::domain::Date;
use uuid::Uuid;

use crate::history::{Nights, Stay};
use crate::truth::{Event, Truth};

/// All room types.
pub struct Replay {
    pub pasts: BTreeMap<Uuid, Past>,
}

/// One room type: a state before the first event, and one after each.
pub struct Past {
    pub rooms: i64,
    pub events: Vec<Event>,
    states: Vec<Nights>,
}

impl Replay {
    /// Replays the events. A gap, an oversold night and a negative count are violations.
    pub fn of(truth: &Truth, violations: &mut Vec<String>) -> Self {
        let mut pasts = BTreeMap::new();
        for room_type in &truth.room_types {
            let own = |event: &&Event| event.room_type_id == room_type.id;
            let events = truth.events.iter().filter(own).cloned().collect();
            let past = Past::of(room_type.rooms, events, violations);
            if past.last() != room_type.sequence {
                violations.push(format!(
                    "room type {}: its events end at {}, its own row says {}",
                    room_type.id,
                    past.last(),
                    room_type.sequence
                ));
            }
            pasts.insert(room_type.id, past);
        }
        Self { pasts }
    }

    /// The state of a room type after a fact; `None` if it has fewer facts.
    pub fn state(&self, room_type: Uuid, sequence: u64) -> Option<&Nights> {
        self.pasts.get(&room_type)?.state(sequence)
    }
}

impl Past {
    fn of(rooms: i64, events: Vec<Event>, violations: &mut Vec<String>) -> Self {
        let mut states = vec![Nights::new()];
        for (index, event) in events.iter().enumerate() {
            let name = format!("room type {}, event {}", event.room_type_id, event.sequence);
            if event.sequence != index as u64 + 1 {
                violations.push(format!("{name} stands at place {}", index + 1));
            }
            let mut nights = states[index].clone();
            for delta in &event.deltas {
                let (sold, held) = nights.entry(delta.date).or_default();
                (*sold, *held) = (*sold + delta.sold, *held + delta.held);
                if *sold < 0 || *held < 0 || *sold + *held > rooms {
                    violations.push(format!("{name}: {sold} sold and {held} held of {rooms} rooms on {}", delta.date));
                }
            }
            states.push(nights);
        }
        Self { rooms, events, states }
    }

    /// The sequence number of the last event.
    pub fn last(&self) -> u64 {
        self.events.len() as u64
    }

    pub fn state(&self, sequence: u64) -> Option<&Nights> {
        self.states.get(usize::try_from(sequence).ok()?)
    }

    pub fn event(&self, sequence: u64) -> Option<&Event> {
        self.events.get(usize::try_from(sequence).ok()?.checked_sub(1)?)
    }

    /// The fewest free rooms on a night of a stay, after a fact.
    pub fn free(&self, sequence: u64, stay: Stay, besides: impl Fn(Date) -> i64) -> Option<i64> {
        let state = self.state(sequence)?;
        let free = |date| self.rooms - taken(state, date) + besides(date);
        stay.nights().map(free).min()
    }
}

/// The counts of a night. Untouched nights have none.
pub fn night(nights: &Nights, date: Date) -> (i64, i64) {
    nights.get(&date).copied().unwrap_or_default()
}

fn taken(nights: &Nights, date: Date) -> i64 {
    let (sold, held) = night(nights, date);
    sold + held
}

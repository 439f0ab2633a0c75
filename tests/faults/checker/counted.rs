//! Never oversold: the bookings, counted by night, match the stored counters and the events, and do not exceed the
//! capacity.

use super::replay::{Replay, night};
use crate::truth::{Recount, Truth};

pub fn check(truth: &Truth, replay: &Replay, violations: &mut Vec<String>) {
    for recount in &truth.recounts {
        let Recount { room_type_id, date, capacity, sold, held, booked, on_hold } = recount;
        let name = format!("room type {room_type_id}, {date}");
        let Some(past) = replay.pasts.get(room_type_id) else {
            violations.push(format!("{name}: there is no such room type"));
            continue;
        };
        if (sold, held) != (booked, on_hold) {
            violations.push(format!("{name}: {sold} sold and {held} held are stored, {booked} and {on_hold} booked"));
        }
        let told = past.state(past.last()).map(|nights| night(nights, *date)).unwrap_or_default();
        if told != (*booked, *on_hold) {
            violations.push(format!("{name}: {booked} and {on_hold} are booked, the events tell {told:?}"));
        }
        if booked + on_hold > past.rooms || *capacity != Some(past.rooms) {
            violations.push(format!("{name}: {} of {} rooms, and {capacity:?} stored", booked + on_hold, past.rooms));
        }
    }
    for (room_type, past) in &replay.pasts {
        let stored = |date| truth.recounts.iter().any(|night| (night.room_type_id, night.date) == (*room_type, date));
        for (date, told) in past.state(past.last()).into_iter().flatten() {
            if *told != (0, 0) && !stored(*date) {
                violations.push(format!("room type {room_type}: {date} is {told:?} by the events, and not stored"));
            }
        }
    }
}

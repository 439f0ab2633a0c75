//! Every read and every frame is a state of the history. Dashboards never go back or miss a change. The feed returns
//! every event once, in the order of positions.

use std::collections::BTreeMap;

use innkeeper::domain::Date;
use uuid::Uuid;

use super::replay::{Replay, night};
use crate::history::{History, Nights, Sighting, Stay, Told};
use crate::truth::Truth;

pub fn check(history: &History, truth: &Truth, replay: &Replay, violations: &mut Vec<String>) {
    for look in &history.looks {
        if let Some(why) = differs(&look.nights, look.asked, replay, (look.room_type, look.sequence)) {
            violations.push(format!("node {} showed room type {}: {why}", look.node, look.room_type));
        }
    }
    dashboards(&history.sightings, history.watched, replay, violations);
    feed(&history.feed, truth, violations);
}

/// The differences between some nights and those of the history after a fact.
fn differs(nights: &Nights, all: Stay, replay: &Replay, (room_type, sequence): (Uuid, u64)) -> Option<String> {
    let Some(state) = replay.state(room_type, sequence) else {
        return Some(format!("fact {sequence}, which never was"));
    };
    let other = |date: Date| {
        let stood = night(state, date);
        match nights.get(&date) {
            None => Some(format!("nothing of {date}, when it was {stood:?}")),
            Some(seen) if *seen != stood => {
                Some(format!("{date} as {seen:?} after fact {sequence}, when it was {stood:?}"))
            }
            Some(_) => None,
        }
    };
    all.nights().find_map(other)
}

/// The projection of each dashboard, built from its frames alone, is at every moment a state of the history.
fn dashboards(sightings: &[Sighting], watched: Stay, replay: &Replay, violations: &mut Vec<String>) {
    let mut pictures: BTreeMap<_, (u64, Nights)> = BTreeMap::new();
    for Sighting { node, room_type, sequence, whole, nights } in sightings {
        let name = format!("the dashboard of room type {room_type} at node {node}");
        let (seen, picture) = pictures.entry((*node, *room_type)).or_default();
        let is_newer = if *whole { *sequence >= *seen } else { *sequence > *seen };
        if !is_newer {
            violations.push(format!("{name} went back from {seen} to {sequence}"));
        }
        if let Some(missed) = (!whole).then(|| untold(replay, *room_type, *seen, *sequence)).flatten() {
            violations.push(format!("{name} was told of {sequence} after {seen}, and not of {missed}"));
        }
        if *whole {
            picture.clear();
        }
        picture.extend(nights.clone());
        *seen = *sequence;
        if let Some(why) = differs(picture, watched, replay, (*room_type, *sequence)) {
            violations.push(format!("{name} had {why}"));
        }
    }
}

/// A fact between two others that changed nights.
fn untold(replay: &Replay, room_type: Uuid, seen: u64, told: u64) -> Option<u64> {
    let past = replay.pasts.get(&room_type)?;
    (seen + 1..told).find(|sequence| past.event(*sequence).is_some_and(|event| !event.deltas.is_empty()))
}

/// A reader that continues after its last position, at any node, gets every event in order. The run waits for the
/// reader to catch up, so its progress is not checked here.
fn feed(told: &[Told], truth: &Truth, violations: &mut Vec<String>) {
    let events = truth.events.iter().map(Some).chain(std::iter::repeat(None));
    for (index, (told, event)) in told.iter().zip(events).enumerate() {
        let is = event.map(|event| (event.position, event.room_type_id, event.sequence));
        if is != Some((told.position, told.room_type_id, told.sequence)) {
            return violations.push(format!("the feed returned {told:?} as number {index}, which is {is:?}"));
        }
    }
}

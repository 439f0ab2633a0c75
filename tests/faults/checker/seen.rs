//! Nobody saw what never was: each look and each frame is a state of the history, dashboards never go back or miss a
//! change, and the feed tells every event once, in the order of positions.

use std::collections::BTreeMap;

use innkeeper::domain::Date;
use uuid::Uuid;

use super::replay::{Replay, night};
use crate::history::{History, Nights, Sighting, Stay, Told};
use crate::truth::Truth;

pub fn check(history: &History, truth: &Truth, replay: &Replay, complaints: &mut Vec<String>) {
    for look in &history.looks {
        if let Some(why) = differs(&look.nights, look.asked, replay, (look.room_type, look.sequence)) {
            complaints.push(format!("node {} showed room type {}: {why}", look.node, look.room_type));
        }
    }
    dashboards(&history.sightings, history.watched, replay, complaints);
    feed(&history.feed, truth, complaints);
}

/// How nights differ from those of the history after a fact, all of them.
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

/// Each dashboard's picture, drawn from its frames alone, is at every moment the state of the history.
fn dashboards(sightings: &[Sighting], watched: Stay, replay: &Replay, complaints: &mut Vec<String>) {
    let mut pictures: BTreeMap<_, (u64, Nights)> = BTreeMap::new();
    for Sighting { node, room_type, sequence, whole, nights } in sightings {
        let name = format!("the dashboard of room type {room_type} at node {node}");
        let (seen, picture) = pictures.entry((*node, *room_type)).or_default();
        let is_newer = if *whole { *sequence >= *seen } else { *sequence > *seen };
        if !is_newer {
            complaints.push(format!("{name} went back from {seen} to {sequence}"));
        }
        if let Some(missed) = (!whole).then(|| untold(replay, *room_type, *seen, *sequence)).flatten() {
            complaints.push(format!("{name} was told of {sequence} after {seen}, and not of {missed}"));
        }
        if *whole {
            picture.clear();
        }
        picture.extend(nights.clone());
        *seen = *sequence;
        if let Some(why) = differs(picture, watched, replay, (*room_type, *sequence)) {
            complaints.push(format!("{name} had {why}"));
        }
    }
}

/// A fact between two others that moved nights.
fn untold(replay: &Replay, room_type: Uuid, seen: u64, told: u64) -> Option<u64> {
    let past = replay.pasts.get(&room_type)?;
    (seen + 1..told).find(|sequence| past.event(*sequence).is_some_and(|event| !event.deltas.is_empty()))
}

/// Whoever goes on after the last position it was told, at whatever node, is told everything, in order. How far it has
/// come is not judged here: whoever ran the history waits until it has caught up.
fn feed(told: &[Told], truth: &Truth, complaints: &mut Vec<String>) {
    let events = truth.events.iter().map(Some).chain(std::iter::repeat(None));
    for (index, (told, event)) in told.iter().zip(events).enumerate() {
        let is = event.map(|event| (event.position, event.room_type_id, event.sequence));
        if is != Some((told.position, told.room_type_id, told.sequence)) {
            return complaints.push(format!("the feed told {told:?} as number {index}, which is {is:?}"));
        }
    }
}

//! Observers: a dashboard at each node, and a reader of the feed that changes the node after every page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use futures_util::{SinkExt, StreamExt};
use innkeeper::domain::Date;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::history::{Nights, Sighting, Stay, Told};
use super::request::Nodes;

/// A dashboard gets a ping at least this often, or reconnects.
const SILENCE: Duration = Duration::from_secs(30);
/// The pause before a reconnection, or after an empty page.
const PAUSE: Duration = Duration::from_millis(50);

/// All observers.
pub struct Onlookers {
    sightings: Arc<Mutex<Vec<Sighting>>>,
    feed: Arc<Mutex<Vec<Told>>>,
    /// Tasks that end when this is dropped.
    _people: JoinSet<()>,
}

impl Onlookers {
    /// `sockets`: the WebSocket addresses by node.
    pub fn gather(sockets: Vec<String>, nodes: Nodes, room_types: &[Uuid], watched: Stay, dice: &mut Rng) -> Self {
        let (sightings, feed) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        for (node, url) in sockets.into_iter().enumerate() {
            let (room_types, sightings) = (room_types.to_vec(), Arc::clone(&sightings));
            let dashboard = Dashboard { node, url, room_types, watched, sightings };
            tasks.spawn(dashboard.watch());
        }
        tasks.spawn(read_on(nodes, Arc::clone(&feed), dice.fork()));
        Self { sightings, feed, _people: tasks }
    }

    /// Whether every dashboard and the feed have reached these sequence numbers in all room types.
    pub fn have_seen(&self, ends: &BTreeMap<Uuid, u64>, nodes: usize) -> bool {
        let (told, seen) = (self.told(), self.seen());
        let by = |node, room_type: &Uuid, end: &u64| seen.get(&(node, *room_type)).is_some_and(|seen| seen >= end);
        told >= ends.values().sum()
            && ends.iter().all(|(room_type, end)| (0..nodes).all(|node| by(node, room_type, end)))
    }

    /// The progress of all observers, in words.
    pub fn state(&self) -> String {
        format!("by node and room type: {:#?}\nthe feed: {} events", self.seen(), self.told())
    }

    /// The newest fact of each dashboard, by node and room type.
    fn seen(&self) -> BTreeMap<(usize, Uuid), u64> {
        locked(&self.sightings).iter().map(|seen| ((seen.node, seen.room_type), seen.sequence)).collect()
    }

    /// The number of events that the feed returned.
    fn told(&self) -> u64 {
        locked(&self.feed).len() as u64
    }

    pub fn leave(self) -> (Vec<Sighting>, Vec<Told>) {
        (std::mem::take(&mut locked(&self.sightings)), std::mem::take(&mut locked(&self.feed)))
    }
}

/// A dashboard at a node, for all room types.
struct Dashboard {
    node: usize,
    url: String,
    room_types: Vec<Uuid>,
    watched: Stay,
    sightings: Arc<Mutex<Vec<Sighting>>>,
}

impl Dashboard {
    /// Reconnects forever, and resumes after the last sequence.
    async fn watch(self) {
        let mut seen = BTreeMap::new();
        loop {
            // The reason does not matter: the node may be dead.
            let _ = self.connection(&mut seen).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn connection(&self, seen: &mut BTreeMap<Uuid, u64>) -> Option<()> {
        let (mut socket, _) = tokio::time::timeout(SILENCE, connect_async(&self.url)).await.ok()?.ok()?;
        let mut subscribe = json!({"type": "subscribe", "id": 1, "room_type_ids": self.room_types,
            "from": self.watched.arrival, "to": self.watched.departure});
        if !seen.is_empty() {
            subscribe["after"] = json!(seen);
        }
        socket.send(Message::text(subscribe.to_string())).await.ok()?;
        loop {
            match tokio::time::timeout(SILENCE, socket.next()).await.ok()??.ok()? {
                Message::Text(text) => self.frame(&serde_json::from_str(&text).ok()?, seen)?,
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Records frames. `None`: the server refused to continue.
    fn frame(&self, frame: &Value, seen: &mut BTreeMap<Uuid, u64>) -> Option<()> {
        let whole = match frame["type"].as_str()? {
            "snapshot" => true,
            "change" => false,
            "error" => return None,
            _ => return Some(()),
        };
        let (room_type, sequence) = (frame["room_type_id"].as_str()?.parse().ok()?, frame["sequence"].as_u64()?);
        seen.insert(room_type, sequence);
        let sighting = Sighting { node: self.node, room_type, sequence, whole, nights: nights(frame)? };
        locked(&self.sightings).push(sighting);
        Some(())
    }
}

fn nights(frame: &Value) -> Option<Nights> {
    let mut date: Date = frame["from"].as_str()?.parse().ok()?;
    let mut nights = Nights::new();
    for (sold, held) in frame["sold"].as_array()?.iter().zip(frame["held"].as_array()?) {
        nights.insert(date, (sold.as_i64()?, held.as_i64()?));
        date = date.tomorrow().ok()?;
    }
    Some(nights)
}

/// Reads the feed from its beginning, each page from another node, after the cursor of the last page.
async fn read_on(nodes: Nodes, feed: Arc<Mutex<Vec<Told>>>, mut dice: Rng) {
    loop {
        let after = locked(&feed).last().map_or(0, |told| told.position);
        match nodes.feed(nodes.guide.any(&mut dice), after).await {
            Some(page) if !page.is_empty() => locked(&feed).extend(page),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

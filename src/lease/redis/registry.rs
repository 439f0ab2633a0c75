//! The registry: which nodes live, known from their heartbeats.
//!
//! A heartbeat is also a look around. What was seen is good for as long as Redis said it was; a node that sees nothing
//! any more asks Redis again before it prefers anybody. A heartbeat that cannot be read, such as one of another version,
//! is passed over: its node is none for this one, and the others are seen all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use redis::Script;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::keys;
use super::leases::{Leases, millis, peer};
use crate::domain::{RoomTypeId, Timestamp};
use crate::lease::{Node, Peer, Unavailable, placement};

static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("leave.lua")));

/// What a node tells of itself.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    url: String,
    since: Timestamp,
    draining: bool,
    owned: usize,
    ttl_ms: u64,
}

/// A node, and until when it counts as living.
#[derive(Debug)]
struct Seen {
    node: Node,
    until: Instant,
}

/// The nodes, as this one sees them.
pub struct Registry {
    leases: Leases,
    since: Timestamp,
    draining: AtomicBool,
    /// The last heartbeat was not answered.
    out_of_touch: AtomicBool,
    seen: RwLock<Arc<[Seen]>>,
}

impl Registry {
    pub fn new(leases: Leases, since: Timestamp) -> Self {
        let (draining, out_of_touch, seen) = Default::default();
        Self { leases, since, draining, out_of_touch, seen }
    }

    /// Says that this node lives, and looks who else does.
    pub async fn beat(&self, owned: usize) -> Result<Vec<Node>, Unavailable> {
        let (me, ttl_ms) = (&self.leases.me, millis(self.leases.ttl));
        let about = About { url: me.url.to_string(), since: self.since, draining: self.is_draining(), owned, ttl_ms };
        let about = serde_json::to_string(&about).map_err(|error| Unavailable(error.into()))?;
        let mut call = nodes(&HEARTBEAT);
        call.arg(me.node.as_str()).arg(ttl_ms).arg(about);
        let asked = Instant::now();
        let answer = self.leases.link.run::<(Option<String>, Vec<(String, i64, String)>)>(call).await;
        self.out_of_touch.store(answer.is_err(), Ordering::Relaxed);
        let (before, answer) = answer?;
        self.look_for_a_namesake(before.as_deref());
        let seen = answer.into_iter().filter_map(|(name, left, about)| {
            // A node of another version is no reason to know nobody.
            let unreadable = |error| warn!(name, error = &error as &dyn std::error::Error, "an unknown kind of node");
            read(&name, left, &about, asked).map_err(unreadable).ok()
        });
        let seen: Arc<[Seen]> = seen.collect();
        let nodes = seen.iter().map(|seen| seen.node.clone()).collect();
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(nodes)
    }

    /// Two processes under one name take each other's room types away: safe, and slow.
    fn look_for_a_namesake(&self, before: Option<&str>) {
        let since = before.and_then(|about| serde_json::from_str::<About>(about).ok()).map(|about| about.since);
        let known = !self.seen().is_empty();
        if known && since.is_some_and(|since| since != self.since) {
            tracing::error!(node = %self.leases.me.node, "another process goes by the name of this node: set node_id");
        }
    }

    /// The node that is to have a room type: of those that live and do not drain. `None`: there is no such node.
    /// Asks Redis only when everybody seen, this node included, would be dead by now.
    pub async fn preferred(&self, room_type: RoomTypeId, owned: usize) -> Result<Option<Peer>, Unavailable> {
        if !self.sees_anybody() {
            self.beat(owned).await?;
        }
        Ok(self.preferred_as_seen(room_type))
    }

    /// The same, as far as is known without asking.
    pub fn preferred_as_seen(&self, room_type: RoomTypeId) -> Option<Peer> {
        let (seen, now) = (self.seen(), Instant::now());
        // What this node told Redis of itself may be older than what it knows.
        let drains = |node: &Node| if node.peer == self.leases.me { self.is_draining() } else { node.draining };
        let candidates = seen.iter().filter(|seen| seen.until > now && !drains(&seen.node));
        placement::preferred(room_type, candidates.map(|seen| &seen.node.peer)).cloned()
    }

    /// The same of everybody who was seen when Redis last answered, whether they live or not.
    pub fn preferred_of_all_seen(&self, room_type: RoomTypeId) -> Option<Peer> {
        placement::preferred(room_type, self.seen().iter().map(|seen| &seen.node.peer)).cloned()
    }

    /// Whether Redis did not answer the last heartbeat.
    pub fn is_out_of_touch(&self) -> bool {
        self.out_of_touch.load(Ordering::Relaxed)
    }

    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Lets the others forget this node.
    pub async fn leave(&self) -> Result<(), Unavailable> {
        let mut call = nodes(&LEAVE);
        call.arg(self.leases.me.node.as_str());
        self.leases.link.run(call).await
    }

    /// Whether another node lives.
    pub fn sees_others(&self) -> bool {
        let now = Instant::now();
        self.seen().iter().any(|seen| seen.until > now && seen.node.peer != self.leases.me)
    }

    fn sees_anybody(&self) -> bool {
        let now = Instant::now();
        self.seen().iter().any(|seen| seen.until > now)
    }

    fn seen(&self) -> Arc<[Seen]> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn nodes(script: &'static Script) -> redis::ScriptInvocation<'static> {
    let mut call = script.prepare_invoke();
    call.key(keys::NODES).key(keys::ABOUT);
    call
}

fn read(name: &str, left_ms: i64, about: &str, asked: Instant) -> Result<Seen, Unavailable> {
    let unreadable = |error| Unavailable(anyhow!("what {name} tells of itself cannot be read: {error}"));
    let endless = || Unavailable(anyhow!("{name} wants to be known for {left_ms} ms"));
    let left = u64::try_from(left_ms).map(Duration::from_millis).map_err(|_| endless())?;
    let until = asked.checked_add(left).ok_or_else(endless)?;
    let about: About = serde_json::from_str(about).map_err(unreadable)?;
    let silent_for = Duration::from_millis(about.ttl_ms).saturating_sub(left);
    let About { url, since, draining, owned, .. } = about;
    let node = Node { peer: peer(name, url)?, since, silent_for, draining, owned };
    Ok(Seen { node, until })
}

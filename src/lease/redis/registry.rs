//! The registry: which nodes live, known from their heartbeats.
//!
//! A heartbeat is also a look around. What was seen is good for as long as Redis said it was; a node that sees nothing
//! any more asks Redis again before it prefers anybody. What a node tells of itself is sealed ([`super::announcement`]):
//! a heartbeat that is not, or is one of another version, is passed over, and the others are seen all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use moka::future::Cache;
use redis::Script;

use super::announcement::{About, Announcements};
use super::keys;
use super::leases::{Leases, millis};
use crate::clock::Clock;
use crate::domain::{RoomTypeId, Timestamp};
use crate::lease::statement::Signet;
use crate::lease::{Node, NodeId, Peer, Unavailable, placement};

static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("leave.lua")));

/// Unknown owners that are remembered.
const SOUGHT: u64 = 1_000;

/// A node, and until when it counts as living.
#[derive(Debug)]
struct Seen {
    node: Node,
    until: Instant,
}

/// The nodes, as this one sees them.
pub struct Registry {
    leases: Leases,
    announcements: Announcements,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    draining: AtomicBool,
    /// The store cannot be reached from here.
    cut_off: AtomicBool,
    /// The last heartbeat was not answered.
    out_of_touch: AtomicBool,
    seen: RwLock<Arc<[Seen]>>,
    /// Owners who were not known, and were looked for a moment ago.
    sought: Cache<NodeId, ()>,
}

impl Registry {
    pub fn new(leases: Leases, signet: Signet, clock: Arc<dyn Clock>) -> Self {
        let (announcements, since) = (Announcements::new(signet), clock.now());
        let (draining, cut_off, out_of_touch, seen) = Default::default();
        let sought = Cache::builder().max_capacity(SOUGHT).time_to_live(leases.beat_every()).build();
        Self { leases, announcements, clock, since, draining, cut_off, out_of_touch, seen, sought }
    }

    /// Says that this node lives, and looks who else does.
    pub async fn beat(&self, owned: usize) -> Result<Vec<Node>, Unavailable> {
        let (me, now) = (&self.leases.me, self.clock.now());
        let ttl_ms = millis(self.leases.ttl);
        let (url, draining, cut_off) = (me.url.clone(), self.is_draining(), self.is_cut_off());
        let about = About { url, since: self.since, told: now, draining, cut_off, owned, ttl_ms };
        let mut call = nodes(&HEARTBEAT);
        call.arg(me.node.as_str()).arg(ttl_ms).arg(self.announcements.seal(&me.node, &about)?);
        let asked = Instant::now();
        let answer = self.leases.link.run::<(Option<String>, Vec<(String, i64, String)>)>(call).await;
        self.out_of_touch.store(answer.is_err(), Ordering::Relaxed);
        let (before, answer) = answer?;
        self.look_for_a_namesake(before.as_deref(), now);
        let told = answer.iter().map(|(name, left, text)| (name.as_str(), positive(*left), text.as_str()));
        let believed = self.announcements.hear(told, now, asked);
        let seen: Arc<[Seen]> =
            answer.iter().filter_map(|(name, left, _)| see(name, *left, &believed, asked)).collect();
        let nodes = seen.iter().map(|seen| seen.node.clone()).collect();
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(nodes)
    }

    /// Two processes under one name take each other's room types away: safe, and slow.
    fn look_for_a_namesake(&self, before: Option<&str>, now: Timestamp) {
        let me = &self.leases.me.node;
        let since = before.and_then(|text| self.announcements.open(me, text, now)).map(|about| about.since);
        let known = !self.seen().is_empty();
        if known && since.is_some_and(|since| since != self.since) {
            tracing::error!(node = %me, "another process goes by the name of this node: set node_id");
        }
    }

    /// Where a node is that Redis names as an owner. Redis is asked about one that is not known, once for all who wait
    /// for it, and not again before the next heartbeat is due. `None`: nothing that it tells of that node is to be
    /// believed.
    pub async fn peer(&self, node: &NodeId, owned: usize) -> Result<Option<Peer>, Unavailable> {
        if let Some(peer) = self.announcements.peer(node) {
            return Ok(Some(peer));
        }
        let looked = self.sought.try_get_with_by_ref(node, async { self.beat(owned).await.map(drop) }).await;
        looked.map_err(|error| Unavailable(error.into()))?;
        Ok(self.announcements.peer(node))
    }

    /// The same, as far as is known without asking.
    pub fn peer_as_known(&self, node: &NodeId) -> Option<Peer> {
        self.announcements.peer(node)
    }

    /// The same of a node that was seen when Redis last answered, whether it lives or not.
    pub fn peer_of_all_seen(&self, node: &NodeId) -> Option<Peer> {
        self.seen().iter().map(|seen| &seen.node.peer).find(|peer| peer.node == *node).cloned()
    }

    /// The node that is to have a room type: of those that live and do not drain, one that reaches the store, if any
    /// does. `None`: there is no such node. Asks Redis only when everybody seen, this node included, would be dead by
    /// now.
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
        let is_me = |node: &Node| node.peer == self.leases.me;
        let drains = |node: &Node| if is_me(node) { self.is_draining() } else { node.draining };
        let is_cut_off = |node: &Node| if is_me(node) { self.is_cut_off() } else { node.cut_off };
        let living = seen.iter().filter(|seen| seen.until > now).map(|seen| &seen.node);
        let candidates: Vec<_> = living.filter(|node| !drains(node)).collect();
        let able = candidates.iter().filter(|node| !is_cut_off(node)).map(|node| &node.peer);
        // Where nobody reaches the store, who does first is as good as any other.
        let preferred = placement::preferred(room_type, able);
        preferred.or_else(|| placement::preferred(room_type, candidates.iter().map(|node| &node.peer))).cloned()
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

    /// Whether the store is out of reach from here, as from now on it is taken to be. Gives what was thought before.
    pub fn cut_off(&self, is_cut_off: bool) -> bool {
        self.cut_off.swap(is_cut_off, Ordering::SeqCst)
    }

    pub fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::SeqCst)
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

/// So many milliseconds, as Redis counts them.
fn positive(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A node that is known for so many more milliseconds, but no longer than it tells itself.
fn see(name: &str, left_ms: i64, believed: &BTreeMap<NodeId, Arc<About>>, asked: Instant) -> Option<Seen> {
    let node = name.parse().ok()?;
    let about = believed.get(&node)?;
    let left = positive(left_ms).min(about.ttl());
    let About { url, since, draining, cut_off, owned, .. } = (**about).clone();
    let silent_for = about.ttl().saturating_sub(left);
    let node = Node { peer: Peer { node, url }, since, silent_for, draining, cut_off, owned };
    Some(Seen { node, until: asked.checked_add(left)? })
}

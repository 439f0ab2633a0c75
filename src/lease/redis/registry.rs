//! The registry: which nodes live, known from their heartbeats.
//!
//! A heartbeat is also a look around. What was seen is good for as long as Redis said it was; a node that sees nothing
//! any more asks Redis again before it prefers anybody. What a node tells of itself is sealed ([`super::announcement`]):
//! a heartbeat that is not, or is one of another version, is passed over, and the others are seen all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use anyhow::anyhow;
use moka::future::Cache;
use redis::Script;

use super::admission::{Admission, Me, objection};
use super::announcement::{About, Announcements, Heard, Kin, Told, positive};
use super::keys;
use super::leases::{Leases, millis};
use crate::clock::Clock;
use crate::domain::{RoomTypeId, Timestamp};
use crate::lease::node_tokens::NodeTokens;
use crate::lease::{Node, NodeId, Outsider, Peer, Unavailable, placement};
use crate::store::Identity;

static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("leave.lua")));

/// Unknown owners that are remembered.
const SOUGHT: u64 = 1_000;

/// How often Redis is asked to make this node a member, where others come meanwhile.
const ROUNDS: usize = 3;

/// What Redis tells: whether this node is a member, its time, what was told before, and of whom it knows.
type Reply = (bool, i64, Option<String>, Vec<Told>, Vec<Told>);

/// The same, by name.
struct Answer {
    member: bool,
    redis_now: Timestamp,
    before: Option<String>,
    members: Vec<Told>,
    /// Nodes that wait to be members.
    waiting: Vec<Told>,
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
    announcements: Announcements,
    admission: Mutex<Admission>,
    /// The database that this node works on, and its server as it was last found.
    identity: Mutex<Identity>,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    draining: AtomicBool,
    /// The store cannot be reached from here.
    cut_off: AtomicBool,
    /// The last heartbeat was not answered.
    out_of_touch: AtomicBool,
    seen: RwLock<Arc<[Seen]>>,
    /// How often a stand-in was asked for.
    turns: AtomicUsize,
    /// Owners who were not known, and were looked for a moment ago.
    sought: Cache<NodeId, ()>,
}

impl Registry {
    pub fn new(leases: Leases, node_tokens: NodeTokens, identity: Identity, clock: Arc<dyn Clock>) -> Self {
        let (announcements, since) = (Announcements::new(node_tokens), clock.now());
        let (admission, draining, cut_off, out_of_touch, seen, turns) = Default::default();
        let identity = Mutex::new(identity);
        let sought = Cache::builder().max_capacity(SOUGHT).time_to_live(leases.beat_every()).build();
        Self {
            leases,
            announcements,
            admission,
            identity,
            clock,
            since,
            draining,
            cut_off,
            out_of_touch,
            seen,
            turns,
            sought,
        }
    }

    /// Says that this node lives, and looks who else does. A node that is no member yet becomes one, if nothing speaks
    /// against it and nobody has come meanwhile of whom it does not know.
    pub async fn beat(&self, owned: usize) -> Result<Vec<Node>, Unavailable> {
        let mut agreed = Vec::new();
        let mut nodes = Vec::new();
        for _ in 0..ROUNDS {
            let asked = Instant::now();
            let answer = self.ask(owned, &agreed).await;
            self.out_of_touch.store(answer.is_err(), Ordering::Relaxed);
            let answer = answer.inspect_err(|_| self.admission().unanswered(Instant::now(), self.leases.ttl))?;
            nodes = self.look_around(&answer, asked);
            if answer.member || self.outsider().is_some() {
                break;
            }
            agreed = answer.members.into_iter().map(|(name, ..)| name).collect();
        }
        Ok(nodes)
    }

    async fn ask(&self, owned: usize, agreed: &[String]) -> Result<Answer, Unavailable> {
        let (me, ttl_ms, database) = (&self.leases.me, millis(self.leases.ttl), self.identity());
        let (url, draining, cut_off) = (me.url.clone(), self.is_draining(), self.is_cut_off());
        let told = self.clock.now();
        let about = About { url, since: self.since, told, draining, cut_off, database, owned, ttl_ms };
        let mut call = nodes(&HEARTBEAT);
        call.arg(me.node.as_str()).arg(ttl_ms).arg(self.announcements.seal(&me.node, &about)?);
        call.arg(self.comes_as()).arg(agreed);
        let (member, millis, before, members, waiting) = self.leases.link.run::<Reply>(call).await?;
        let redis_now = Timestamp::from_millisecond(millis).map_err(|error| Unavailable::Unanswered(error.into()))?;
        Ok(Answer { member, redis_now, before, members, waiting })
    }

    fn comes_as(&self) -> &'static str {
        let admission = self.admission();
        match (admission.outsider(), admission.is_member()) {
            (Some(_), true) => "expelled",
            (Some(_), false) => "outsider",
            (None, true) => "member",
            (None, false) => "candidate",
        }
    }

    /// Takes in what Redis has told.
    fn look_around(&self, answer: &Answer, asked: Instant) -> Vec<Node> {
        let now = self.clock.now();
        if answer.member {
            self.look_for_a_namesake(answer.before.as_deref());
        }
        let heard = self.announcements.hear(&answer.members, &answer.waiting, &self.identity(), now, asked);
        self.weigh(answer, &heard, now, asked);
        let see = |(name, left, _): &Told| see(name, *left, &heard.believed, asked);
        let seen: Arc<[Seen]> = answer.members.iter().filter_map(see).collect();
        let nodes = seen.iter().map(|seen| seen.node.clone()).collect();
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        nodes
    }

    /// Finds out whether this node may be a member, and says so when that changes.
    fn weigh(&self, answer: &Answer, heard: &Heard, now: Timestamp, asked: Instant) {
        let me = self.leases.me.node.as_str();
        let is_other = |name: &str| !(answer.member && name == me);
        let others = answer.members.iter().zip(&heard.kin).filter(|((name, ..), _)| is_other(name));
        let (others, kin): (Vec<_>, Vec<_>) = others.unzip();
        let agreed = kin.iter().any(|kin| matches!(kin, Kin::Member { .. }));
        let objected_for = others.iter().map(|(_, left, _)| positive(*left)).max().unwrap_or_default();
        let mut admission = self.admission();
        let before = (admission.is_member(), admission.outsider());
        let comparison =
            Me { since: self.since, now, redis_now: answer.redis_now, established: admission.is_established() };
        let objection = objection(comparison, &kin);
        admission.weigh(answer.member, objection, agreed, objected_for, asked, self.leases.ttl);
        let after = (admission.is_member(), admission.outsider());
        drop(admission);
        if before != after {
            self.say(after);
        }
    }

    fn say(&self, (member, outsider): (bool, Option<Outsider>)) {
        let node = &self.leases.me.node;
        metrics::gauge!("innkeeper_cluster_member").set(if member && outsider.is_none() { 1.0 } else { 0.0 });
        match outsider {
            Some(why) => {
                let members = self.seen().iter().map(|seen| seen.node.peer.node.to_string()).collect::<Vec<_>>();
                tracing::error!(%node, %why, ?members, "this node is no member of its cluster: it is not ready and owns nothing");
            }
            None if member => tracing::info!(%node, "this node is a member of its cluster"),
            None => {}
        }
    }

    /// Two processes under one name take each other's room types away: safe, and slow.
    fn look_for_a_namesake(&self, before: Option<&str>) {
        let me = &self.leases.me.node;
        let since = before.and_then(|text| self.announcements.open(me, text)).map(|about| about.since);
        let known = !self.seen().is_empty();
        if known && since.is_some_and(|since| since != self.since) {
            tracing::error!(node = %me, "another process goes by the name of this node: set node_id");
        }
    }

    /// Why this node may own nothing, if it may not.
    pub fn outsider(&self) -> Option<Outsider> {
        self.admission().outsider()
    }

    /// Whether this node can take over room types, as far as it knows without asking.
    pub fn may_own(&self) -> Result<(), Unavailable> {
        let admission = self.admission();
        if let Some(outsider) = admission.outsider() {
            return Err(Unavailable::Outsider(outsider));
        }
        let silent = |why: &str| Err(Unavailable::Unanswered(anyhow!("{why}")));
        match admission.heard() {
            _ if !admission.is_established() => silent("redis has not answered since this node started"),
            Some(heard) if heard.elapsed() < self.leases.ttl => Ok(()),
            _ => silent("redis has not answered for as long as a lease lasts"),
        }
    }

    /// What the store says of itself now, if it answers. What this node knows of another database is worth nothing.
    pub fn works_on(&self, found: Option<&Identity>) {
        let mut identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        identity.server = found.and_then(|found| found.server);
        if found.is_some_and(|found| !identity.is_same_database(found)) && self.outsider().is_none() {
            self.admission().replaced();
            self.say((false, self.outsider()));
        }
    }

    fn identity(&self) -> Identity {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a node is that Redis names as an owner. Redis is asked about one that is not known, once for all who wait
    /// for it, and not again before the next heartbeat is due. `None`: nothing that it tells of that node is to be
    /// believed.
    pub async fn peer(&self, node: &NodeId, owned: usize) -> Result<Option<Peer>, Unavailable> {
        if let Some(peer) = self.announcements.peer(node) {
            return Ok(Some(peer));
        }
        let looked = self.sought.try_get_with_by_ref(node, async { self.beat(owned).await.map(drop) }).await;
        looked.map_err(|error| Unavailable::Unanswered(error.into()))?;
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

    /// Whether a node counts as living. Where this node is out of touch with Redis, or its view is too old to show even
    /// itself, every node does.
    pub fn lives(&self, node: &NodeId) -> bool {
        let (seen, now) = (self.seen(), Instant::now());
        let is_seen = |name: &NodeId| seen.iter().any(|seen| seen.until > now && seen.node.peer.node == *name);
        self.is_out_of_touch() || is_seen(node) || !is_seen(&self.leases.me.node)
    }

    /// Another node that lives, reaches the store and does not drain; all of them in turn.
    pub fn stand_in(&self) -> Option<Peer> {
        if self.is_out_of_touch() {
            return None;
        }
        let (seen, now) = (self.seen(), Instant::now());
        let is_able = |seen: &&Seen| seen.until > now && !seen.node.draining && !seen.node.cut_off;
        let able = seen.iter().filter(is_able).map(|seen| &seen.node.peer).filter(|peer| **peer != self.leases.me);
        let able: Vec<_> = able.collect();
        let turn = self.turns.fetch_add(1, Ordering::Relaxed).checked_rem(able.len())?;
        able.get(turn).map(|peer| (*peer).clone())
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
        call.arg(self.leases.me.node.as_str()).arg(u8::from(self.admission().is_member()));
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
    call.key(keys::NODES).key(keys::ABOUT).key(keys::WAITING).key(keys::ABOUT_WAITING);
    call
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

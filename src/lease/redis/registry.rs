//! The registry: which nodes are alive, known from their heartbeats.
//!
//! A heartbeat announces this node and reads the announcements of its peers in one script. What was read is valid for as
//! long as Redis said. A node whose view has expired asks Redis again before it prefers a node. Announcements are signed
//! ([`super::announcement`]): one that is forged, or of another version, is ignored, and the others are read all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use moka::future::Cache;
use redis::Script;

use super::admission::{Admission, Finding, ThisNode, objection};
use super::announcement::{Announcement, Announcements, Listed, Survey, positive};
use super::database_check::DatabaseCheck;
use super::keys;
use super::leases::{Leases, millis, patience};
use super::peer_status::{PeerStatus, Rank};
use crate::clock::Clock;
use crate::domain::{RoomTypeId, Timestamp};
use crate::lease::node_tokens::NodeTokens;
use crate::lease::{Node, NodeId, Outsider, Peer, Unavailable, placement};

static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("leave.lua")));

/// Unknown owners that are remembered.
const RECENT_LOOKUPS: u64 = 1_000;

/// How often one heartbeat asks Redis to make this node a member, while other nodes join.
const ROUNDS: usize = 3;

/// The answer of the heartbeat script: whether this node is a member, Redis's time, this node's announcement before, the
/// members, the nodes that wait.
type Reply = (bool, i64, Option<String>, Vec<Listed>, Vec<Listed>);

/// The same, by name.
struct Answer {
    is_member: bool,
    redis_now: Timestamp,
    before: Option<String>,
    members: Vec<Listed>,
    /// Nodes that are alive but not members.
    waiting: Vec<Listed>,
}

/// A node, and until when it counts as alive.
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
    database: DatabaseCheck,
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    draining: AtomicBool,
    /// The store cannot be reached from here.
    cut_off: AtomicBool,
    /// Redis did not answer the last heartbeat.
    out_of_touch: AtomicBool,
    seen: RwLock<Arc<[Seen]>>,
    /// How often a stand-in was asked for.
    turns: AtomicUsize,
    /// Unknown owners that were looked up a moment ago.
    recent_lookups: Cache<NodeId, ()>,
}

impl Registry {
    pub fn new(leases: Leases, node_tokens: NodeTokens, database: DatabaseCheck, clock: Arc<dyn Clock>) -> Self {
        let (announcements, started_at) = (Announcements::new(node_tokens), clock.now());
        let (admission, draining, cut_off, out_of_touch, seen, turns) = Default::default();
        let recent_lookups =
            Cache::builder().max_capacity(RECENT_LOOKUPS).time_to_live(leases.heartbeat_interval()).build();
        Self {
            leases,
            announcements,
            admission,
            database,
            clock,
            started_at,
            draining,
            cut_off,
            out_of_touch,
            seen,
            turns,
            recent_lookups,
        }
    }

    /// Announces this node, and reads which others are alive. A node that is not a member yet becomes one if there is no
    /// objection, and if it has seen every member. It compares the databases first; a member does not wait for the store.
    pub async fn beat(&self, owned: usize) -> Result<Vec<Node>, Unavailable> {
        if !self.database.has_committed() {
            self.check_database(patience(self.leases.ttl)).await;
        }
        let mut agreed = Vec::new();
        let mut nodes = Vec::new();
        for _ in 0..ROUNDS {
            let asked = Instant::now();
            let answer = self.ask(owned, &agreed).await;
            self.out_of_touch.store(answer.is_err(), Ordering::Relaxed);
            let answer = answer.inspect_err(|_| self.admission().unanswered(Instant::now(), self.leases.ttl))?;
            nodes = self.apply(&answer, asked);
            if answer.is_member {
                break;
            }
            let is_pending = self.admission().is_pending();
            if is_pending && self.check_database(patience(self.leases.ttl)).await {
                nodes = self.apply(&answer, asked);
            }
            if self.admitted().is_err() {
                break;
            }
            agreed = answer.members.into_iter().map(|(name, ..)| name).collect();
        }
        Ok(nodes)
    }

    async fn ask(&self, owned: usize, agreed: &[String]) -> Result<Answer, Unavailable> {
        let (me, ttl_ms, database) = (&self.leases.me, millis(self.leases.ttl), self.database.proof());
        let (url, draining, cut_off) = (me.url.clone(), self.is_draining(), self.is_cut_off());
        let (started_at, signed_at) = (self.started_at, self.clock.now());
        let announcement = Announcement { url, started_at, signed_at, draining, cut_off, database, owned, ttl_ms };
        let mut call = nodes(&HEARTBEAT);
        call.arg(me.node.as_str()).arg(ttl_ms).arg(self.announcements.sign(&me.node, &announcement)?);
        call.arg(self.asks_to_be()).arg(agreed);
        let (is_member, millis, before, members, waiting) = self.leases.redis.run::<Reply>(call).await?;
        let redis_now = Timestamp::from_millisecond(millis).map_err(|error| Unavailable::Unanswered(error.into()))?;
        Ok(Answer { is_member, redis_now, before, members, waiting })
    }

    fn asks_to_be(&self) -> &'static str {
        let admission = self.admission();
        match (admission.outsider(), admission.is_member()) {
            (Some(_), true) => "expelled",
            (Some(_), false) => "waiting",
            (None, true) => "member",
            (None, false) if admission.is_compared() && self.database.has_committed() => "candidate",
            (None, false) => "waiting",
        }
    }

    /// Takes over an answer of Redis.
    fn apply(&self, answer: &Answer, asked: Instant) -> Vec<Node> {
        let now = self.clock.now();
        if answer.is_member {
            self.warn_of_namesake(answer.before.as_deref());
        }
        let compare = |proof: &_| self.database.compare(proof);
        let survey = self.announcements.read(&answer.members, &answer.waiting, &compare, now, asked);
        self.update_admission(answer, &survey, now, asked);
        let see = |(name, left, _): &Listed| see(name, *left, &survey.announcements, asked);
        let seen: Arc<[Seen]> = answer.members.iter().filter_map(see).collect();
        let nodes = seen.iter().map(|seen| seen.node.clone()).collect();
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        nodes
    }

    /// Decides whether this node may be a member, and logs a change.
    fn update_admission(&self, answer: &Answer, survey: &Survey, now: Timestamp, asked: Instant) {
        let me = self.leases.me.node.as_str();
        let is_other = |name: &str| !(answer.is_member && name == me);
        let peers = answer.members.iter().zip(&survey.statuses).filter(|((name, ..), _)| is_other(name));
        let (peers, statuses): (Vec<_>, Vec<_>) = peers.unzip();
        let mut admission = self.admission();
        let before = (admission.is_member(), admission.outsider());
        let this_node = ThisNode {
            rank: Rank { started_at: self.started_at, instance: self.database.instance() },
            now,
            redis_now: answer.redis_now,
            is_established: admission.is_established(),
            is_settled: admission.is_settled(),
        };
        let finding = Finding {
            is_member: answer.is_member,
            objection: objection(this_node, &statuses),
            is_agreed: statuses.iter().any(|status| matches!(status, PeerStatus::Member { .. })),
            is_pending: statuses.contains(&PeerStatus::Pending),
            is_settled: peers.is_empty() || self.database.has_proven_peer(),
            listed_for: peers.iter().map(|(_, left, _)| positive(*left)).max().unwrap_or_default(),
        };
        admission.update(finding, asked, self.leases.ttl);
        let after = (admission.is_member(), admission.outsider());
        drop(admission);
        if before != after {
            self.log_membership(after);
        }
    }

    fn log_membership(&self, (is_member, outsider): (bool, Option<Outsider>)) {
        let node = &self.leases.me.node;
        metrics::gauge!("innkeeper_cluster_member").set(if is_member && outsider.is_none() { 1.0 } else { 0.0 });
        match outsider {
            Some(why) => {
                let members = self.seen().iter().map(|seen| seen.node.peer.node.to_string()).collect::<Vec<_>>();
                tracing::error!(%node, %why, ?members, "this node is no member of its cluster: it is not ready and owns nothing");
            }
            None if is_member => tracing::info!(%node, "this node is a member of its cluster"),
            None => {}
        }
    }

    /// Two processes under one name take each other's room types away: safe, and slow.
    fn warn_of_namesake(&self, before: Option<&str>) {
        let me = &self.leases.me.node;
        let instance =
            before.and_then(|text| self.announcements.verify(me, text)).map(|before| before.database.instance);
        let is_running = !self.seen().is_empty();
        if is_running && instance.is_some_and(|instance| instance != self.database.instance()) {
            tracing::error!(node = %me, "another process has the name of this node: set node_id");
        }
    }

    /// Why this node may own nothing, if it may not.
    pub fn outsider(&self) -> Option<Outsider> {
        self.admission().outsider()
    }

    /// Refuses where this node must neither own a room type nor name an owner: it is an outsider, or its database is not
    /// compared with those of the members yet.
    pub fn admitted(&self) -> Result<(), Unavailable> {
        let admission = self.admission();
        match admission.outsider() {
            Some(outsider) => Err(Unavailable::Outsider(outsider)),
            None if admission.is_compared() => Ok(()),
            None => Err(Unavailable::Unanswered(anyhow!(
                "this node has not compared its database with that of the other nodes yet"
            ))),
        }
    }

    /// Whether this node can take over room types, as far as it knows without asking.
    pub fn may_own(&self) -> Result<(), Unavailable> {
        self.admitted()?;
        let admission = self.admission();
        let refused = |why: &str| Err(Unavailable::Unanswered(anyhow!("{why}")));
        match admission.answered() {
            None => refused("redis has not answered since this node started"),
            Some(_) if !admission.is_established() => refused("this node has not joined its cluster yet"),
            Some(answered) if answered.elapsed() < self.leases.ttl => Ok(()),
            Some(_) => refused("redis has not answered for as long as a lease lasts"),
        }
    }

    /// Increments this node's beat in the store, and compares the databases of the peers. Returns whether the store has
    /// answered within `limit`.
    pub async fn check_database(&self, limit: Duration) -> bool {
        let has_answered = self.database.run(limit).await;
        if self.database.is_replaced() && self.outsider().is_none() {
            self.admission().replaced();
            self.log_membership((false, self.outsider()));
        }
        has_answered
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of a node that Redis names as an owner. For an unknown node Redis is asked, once for all waiting callers,
    /// and not again before the next heartbeat is due. `None`: the node has no valid announcement.
    pub async fn peer(&self, node: &NodeId, owned: usize) -> Result<Option<Peer>, Unavailable> {
        if let Some(peer) = self.announcements.peer(node) {
            return Ok(Some(peer));
        }
        let looked = self.recent_lookups.try_get_with_by_ref(node, async { self.beat(owned).await.map(drop) }).await;
        looked.map_err(|error| Unavailable::Unanswered(error.into()))?;
        Ok(self.announcements.peer(node))
    }

    /// Like `peer`, without asking Redis.
    pub fn peer_as_known(&self, node: &NodeId) -> Option<Peer> {
        self.announcements.peer(node)
    }

    /// The address of a node that was a member when Redis last answered, even if it has expired since.
    pub fn peer_of_all_seen(&self, node: &NodeId) -> Option<Peer> {
        self.seen().iter().map(|seen| &seen.node.peer).find(|peer| peer.node == *node).cloned()
    }

    /// The node that placement prefers for a room type, among the live nodes that do not drain. Nodes that reach the store
    /// come first. `None`: there is no such node. Asks Redis only when every node in the view has expired.
    pub async fn preferred(&self, room_type: RoomTypeId, owned: usize) -> Result<Option<Peer>, Unavailable> {
        if !self.sees_anybody() {
            self.beat(owned).await?;
        }
        Ok(self.preferred_as_seen(room_type))
    }

    /// Like `preferred`, without asking Redis.
    pub fn preferred_as_seen(&self, room_type: RoomTypeId) -> Option<Peer> {
        let (seen, now) = (self.seen(), Instant::now());
        // This node's own announcement may be older than its state.
        let is_me = |node: &Node| node.peer == self.leases.me;
        let drains = |node: &Node| if is_me(node) { self.is_draining() } else { node.draining };
        let is_cut_off = |node: &Node| if is_me(node) { self.is_cut_off() } else { node.cut_off };
        let living = seen.iter().filter(|seen| seen.until > now).map(|seen| &seen.node);
        let candidates: Vec<_> = living.filter(|node| !drains(node)).collect();
        let able = candidates.iter().filter(|node| !is_cut_off(node)).map(|node| &node.peer);
        // If no node reaches the store, all are equal: any of them may be the first to reach it again.
        let preferred = placement::preferred(room_type, able);
        preferred.or_else(|| placement::preferred(room_type, candidates.iter().map(|node| &node.peer))).cloned()
    }

    /// Like `preferred`, among all members of Redis's last answer, even if they have expired since.
    pub fn preferred_of_all_seen(&self, room_type: RoomTypeId) -> Option<Peer> {
        placement::preferred(room_type, self.seen().iter().map(|seen| &seen.node.peer)).cloned()
    }

    /// Whether a node counts as alive. While Redis does not answer, or the view is too old to show even this node, every
    /// node does.
    pub fn lives(&self, node: &NodeId) -> bool {
        let (seen, now) = (self.seen(), Instant::now());
        let is_seen = |name: &NodeId| seen.iter().any(|seen| seen.until > now && seen.node.peer.node == *name);
        self.is_out_of_touch() || is_seen(node) || !is_seen(&self.leases.me.node)
    }

    /// Another live node that reaches the store and does not drain: round robin.
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

    /// Sets whether this node can reach the store. Returns the value before.
    pub fn cut_off(&self, is_cut_off: bool) -> bool {
        self.cut_off.swap(is_cut_off, Ordering::SeqCst)
    }

    pub fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::SeqCst)
    }

    /// Deletes this node's entry in Redis.
    pub async fn leave(&self) -> Result<(), Unavailable> {
        let mut call = nodes(&LEAVE);
        call.arg(self.leases.me.node.as_str()).arg(u8::from(self.admission().is_member()));
        Ok(self.leases.redis.run(call).await?)
    }

    /// Whether another node is alive.
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
    call.key(keys::MEMBERS).key(keys::ANNOUNCEMENTS).key(keys::WAITING).key(keys::WAITING_ANNOUNCEMENTS);
    call
}

/// A node that Redis lists for `left_ms` milliseconds, at most for the TTL in its announcement.
fn see(name: &str, left_ms: i64, announcements: &BTreeMap<NodeId, Arc<Announcement>>, asked: Instant) -> Option<Seen> {
    let node = name.parse().ok()?;
    let announcement = announcements.get(&node)?;
    let left = positive(left_ms).min(announcement.ttl());
    let silent_for = announcement.ttl().saturating_sub(left);
    let Announcement { url, started_at: since, draining, cut_off, owned, .. } = (**announcement).clone();
    let node = Node { peer: Peer { node, url }, since, silent_for, draining, cut_off, owned };
    Some(Seen { node, until: asked.checked_add(left)? })
}

//! Leases in Redis: one key with a TTL per room type. One script grants a lease and the next token together.
//!
//! [`RedisLease`] answers the engine and the operators. `keeper` runs its background tasks: it renews leases, sends
//! heartbeats and checks the store. `registry` knows the nodes by their signed announcements (`announcement`), and decides
//! whether this node may be one of them (`admission`), which needs the same database (`database_check`). `leases` and the
//! `.lua` files are everything that Redis is asked. [`crate::redis`] is the connection, and [`RedisWake`] wakes other nodes
//! over it.
//! Works with one Redis and with Redis Cluster.
//!
//! Invariants: the fence and the lease of a room type share a slot and change in one script. No call waits for Redis longer
//! than a third of the TTL, or a second. An ownership that cannot be renewed continues, and is no longer certain when its
//! TTL may be over. Only an answer of Redis ends it. While Redis does not answer, requests go to the last known owner.
//!
//! Data loss in Redis costs time, not safety. A fence that fell back is raised to the store's token. A lease that vanished
//! is set again by the next renewal, unless another node was granted it or it was released. So fences may expire after a
//! week without use: the next owner's first write is refused as stale, and raises the fence.

mod admission;
mod announcement;
mod database_check;
mod keeper;
mod keys;
mod leases;
mod owners;
mod peer_status;
mod registry;
mod wake;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use async_trait::async_trait;
use dashmap::DashMap;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::tasks::{Policy, Tasks};

use self::database_check::DatabaseCheck;
use self::leases::{Leases, Reply};
use self::owners::Owners;
use self::registry::Registry;
use super::holdings::{Holding, Holdings};
use super::node_tokens::NodeTokens;
use super::{Acquired, Asked, Lease, Membership, Node, NodeId, Peer, Revoked, Token, Unavailable};
use crate::clock::{Clock, IdSource, System};
use crate::domain::RoomTypeId;
use crate::redis::{Addresses, BadAddress, Connection};
use crate::secret::Secret;
use crate::store::{DatabaseId, Instance, Members};

pub use wake::RedisWake;

/// The settings of the leases.
#[derive(Debug, Clone)]
pub struct Options {
    pub addresses: Addresses,
    /// The cluster secret.
    pub secret: Secret,
    /// How long a lease lasts without a renewal.
    pub ttl: Duration,
}

/// The leases of one node.
pub struct RedisLease {
    leases: Leases,
    registry: Registry,
    holdings: Holdings,
    revoked: Mutex<Vec<Revoked>>,
    news: Notify,
    given_away: DashMap<RoomTypeId, GivenAway>,
    owners: Owners,
    releases: TaskTracker,
}

/// An ownership that was revoked because placement prefers another node.
#[derive(Debug, Clone, Copy)]
struct GivenAway {
    token: Token,
    /// When the other node should have taken it.
    until: Instant,
}

impl RedisLease {
    /// A node without leases, whose store has the id `database`. Redis need not be running. Needs a runtime, on which all
    /// calls will run.
    pub fn new(
        options: &Options,
        me: Peer,
        store: Arc<dyn Members>,
        database: DatabaseId,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, BadAddress> {
        let redis = Connection::new(&options.addresses, leases::patience(options.ttl))?;
        let instance = Instance { id: System.next(), node: me.node.to_string() };
        let check = DatabaseCheck::new(store, instance, database.clone(), options.ttl);
        let leases = Leases { redis, me, database, ttl: options.ttl };
        let registry = Registry::new(leases.clone(), NodeTokens::new(&options.secret), check, clock);
        let (holdings, revoked, news, given_away, owners) = Default::default();
        let releases = TaskTracker::new();
        Ok(Arc::new(Self { leases, registry, holdings, revoked, news, given_away, owners, releases }))
    }

    /// Starts the tasks that renew leases and send heartbeats. [`RedisLease::watch_store`] belongs to it.
    pub fn keep(self: &Arc<Self>, tasks: &Tasks) {
        let (renewing, beating) = (self.clone(), self.clone());
        tasks.spawn("lease_renewal", Policy::Restart, move |stop| keeper::renew(renewing.clone(), stop));
        tasks.spawn("heartbeat", Policy::Restart, move |stop| keeper::beat(beating.clone(), stop));
    }

    /// Starts the task that counts heartbeats in the store, and hands over all room types while the store does not answer.
    pub fn watch_store(self: &Arc<Self>, tasks: &Tasks) {
        let lease = self.clone();
        tasks.spawn("store_watch", Policy::Restart, move |stop| keeper::watch_store(lease.clone(), stop));
    }

    /// The wake-ups of this node, on the same connection.
    pub fn wake(&self) -> Arc<RedisWake> {
        Arc::new(RedisWake::new(self.leases.redis.clone(), self.leases.me.node.clone()))
    }

    fn revoke(&self, revoked: impl IntoIterator<Item = Revoked>) {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner).extend(revoked);
        self.news.notify_one();
    }

    fn give_back(&self, room_type: RoomTypeId, token: Token, for_good: bool) {
        self.holdings.forget(room_type, token);
        let leases = self.leases.clone();
        let release = async move {
            if let Err(error) = leases.release(room_type, token, for_good).await {
                debug!(%room_type, error = &error as &dyn std::error::Error, "a lease cannot be released, and ends by its TTL");
            }
        };
        self.releases.spawn_on(release, self.leases.redis.runtime());
    }

    /// Asks Redis. `None`: the owner has no valid announcement.
    async fn ask(&self, room_type: RoomTypeId, asked: Asked) -> Result<Option<Acquired>, Unavailable> {
        let preferred = self.registry.preferred(room_type, self.holdings.len()).await?;
        self.registry.admitted()?;
        let other = preferred.filter(|peer| *peer != self.leases.me);
        let may_take = other.is_none() || (asked == Asked::Forwarded && self.takes_in(room_type));
        // Taken before the call: the lease runs from when Redis executes it.
        let asked_at = Instant::now();
        match (self.leases.acquire(room_type, may_take).await?, other) {
            (Reply::Granted { token, after }, _) => {
                self.holdings.keep(room_type, token, Some(asked_at));
                if let Some(after) = after {
                    metrics::counter!("innkeeper_takeovers_total").increment(1);
                    debug!(%room_type, token = token.0, after, "a room type was taken over");
                }
                Ok(Some(Acquired::Granted(token)))
            }
            (Reply::Owned(owner), _) => {
                self.holdings.forget_any(room_type);
                let owner = self.registry.peer(&owner, self.holdings.len()).await?;
                Ok(owner.map(Acquired::Elsewhere))
            }
            (Reply::Free, Some(other)) => {
                self.holdings.forget_any(room_type);
                Ok(Some(Acquired::Elsewhere(other)))
            }
            (Reply::Free, None) => Err(Unavailable::Unanswered(anyhow!("redis did not grant a lease that is free"))),
        }
    }

    /// The answer without Redis. An ownership that was not released continues under the next token, which this node makes.
    /// The store accepts it, unless another node was granted as high a token meanwhile. The last known owner is likely to
    /// be the owner still.
    fn without_redis(&self, room_type: RoomTypeId, asked: Asked) -> Option<Acquired> {
        if let Some(Token(held)) = self.holdings.token(room_type) {
            let token = Token(held.saturating_add(1));
            self.holdings.keep(room_type, token, None);
            debug!(%room_type, token = token.0, "an ownership continues without redis");
            return Some(Acquired::Granted(token));
        }
        if asked == Asked::Forwarded {
            return None;
        }
        let known = self.owners.last(room_type).and_then(|node| self.registry.peer_of_all_seen(&node));
        let owner = known.or_else(|| self.registry.preferred_of_all_seen(room_type))?;
        (owner != self.leases.me).then_some(Acquired::Elsewhere(owner))
    }

    /// Whether a forwarded request may take a room type for which placement prefers another node.
    fn takes_in(&self, room_type: RoomTypeId) -> bool {
        let given = self.given_away.get(&room_type).is_some_and(|given| given.until > Instant::now());
        !given && !self.registry.is_draining() && !self.registry.is_cut_off()
    }

    /// Forgets the room types that other nodes should have taken, except those that this node still holds.
    fn forget_what_was_given_away(&self) {
        let now = Instant::now();
        let held = |room_type, token| self.holdings.token(room_type) == Some(token);
        self.given_away.retain(|room_type, given| given.until > now || held(*room_type, given.token));
    }
}

#[async_trait]
impl Lease for RedisLease {
    async fn acquire(&self, room_type: RoomTypeId, asked: Asked) -> Result<Acquired, Unavailable> {
        if let Some(outsider) = self.registry.outsider() {
            return Err(Unavailable::Outsider(outsider));
        }
        // If Redis did not answer the last heartbeat, requests do not wait for it.
        if self.registry.is_out_of_touch()
            && let Some(answer) = self.without_redis(room_type, asked)
        {
            return Ok(answer);
        }
        match self.ask(room_type, asked).await {
            Ok(Some(answer)) => {
                self.owners.learn(room_type, &answer);
                Ok(answer)
            }
            Ok(None) => {
                Err(Unavailable::Unanswered(anyhow!("the owner has no valid announcement, so its address is unknown")))
            }
            Err(error) => {
                self.registry.admitted()?;
                self.without_redis(room_type, asked).ok_or(error)
            }
        }
    }

    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable> {
        warn!(%room_type, seen = seen.0, "the fence in Redis is behind the store and is raised");
        let asked_at = Instant::now();
        let raised = self.leases.raise(room_type, seen).await?;
        let token =
            raised.ok_or_else(|| Unavailable::Unanswered(anyhow!("another node was granted the lease meanwhile")))?;
        self.holdings.keep(room_type, token, Some(asked_at));
        Ok(token)
    }

    fn is_certain(&self, room_type: RoomTypeId, token: Token) -> bool {
        // The clocks of two machines may differ in speed. A tenth is more than the difference.
        let good_for = self.leases.ttl - self.leases.ttl / 10;
        self.holdings.confirmed(room_type, token).is_some_and(|asked_at| asked_at.elapsed() < good_for)
    }

    fn release(&self, room_type: RoomTypeId, token: Token) {
        self.give_back(room_type, token, false);
    }

    fn forget(&self, room_type: RoomTypeId, token: Token) {
        self.give_back(room_type, token, true);
    }

    fn last_found(&self, room_type: RoomTypeId) -> Option<Peer> {
        let node = self.owners.found_within(room_type, self.leases.heartbeat_interval() / 2)?;
        self.registry.peer_as_known(&node).filter(|peer| self.registry.lives(&peer.node))
    }

    fn belongs_here(&self, room_type: RoomTypeId) -> bool {
        self.registry.preferred_as_seen(room_type).is_some_and(|peer| peer == self.leases.me)
    }

    async fn revoked(&self) -> Vec<Revoked> {
        loop {
            // A notification between the check and the wait is kept for the wait.
            let revoked = std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner));
            if !revoked.is_empty() {
                return revoked;
            }
            self.news.notified().await;
        }
    }
}

#[async_trait]
impl Membership for RedisLease {
    fn me(&self) -> &Peer {
        &self.leases.me
    }

    fn may_own(&self) -> Result<(), Unavailable> {
        self.registry.may_own()
    }

    async fn nodes(&self) -> Result<Vec<Node>, Unavailable> {
        let mut nodes = self.registry.beat(self.holdings.len()).await?;
        nodes.sort_by(|a, b| a.peer.node.cmp(&b.peer.node));
        Ok(nodes)
    }

    fn holdings(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding> {
        self.holdings.page(after, limit)
    }

    fn lives(&self, node: &NodeId) -> bool {
        self.registry.lives(node)
    }

    fn is_cut_off(&self) -> bool {
        self.registry.is_cut_off()
    }

    fn stand_in(&self) -> Option<Peer> {
        self.registry.stand_in()
    }

    async fn join(&self) {
        keeper::beat_once(self).await;
    }

    async fn drain(&self) {
        self.registry.drain();
        keeper::beat_once(self).await;
    }

    async fn known_to_drain(&self) {
        if !self.registry.sees_others() {
            return;
        }
        // Every node reads the announcements once in this time, plus the time-out of the call.
        tokio::time::sleep(self.leases.heartbeat_interval() + leases::patience(self.leases.ttl)).await;
    }

    async fn leave(&self) {
        self.releases.close();
        self.releases.wait().await;
        if let Err(error) = self.registry.leave().await {
            debug!(error = &error as &dyn std::error::Error, "this node's announcement cannot be deleted, and expires");
        }
    }
}

//! The leases in Redis. Each call is one script, so each is atomic.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::anyhow;
use redis::{Script, ScriptInvocation};

use super::keys;
use crate::domain::RoomTypeId;
use crate::lease::{NodeId, Peer, Token, Unavailable};
use crate::redis::Connection;
use crate::store::DatabaseId;

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("acquire.lua")));
static RAISE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("raise.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("release.lua")));

/// How long Redis keeps the fence of an unused room type.
const FENCE_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest time that one call to Redis may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long one call to Redis may take, for leases of this TTL.
pub fn patience(ttl: Duration) -> Duration {
    (ttl / 3).min(PATIENCE)
}

/// The time between two heartbeats, for leases of this TTL.
pub fn heartbeat_interval(ttl: Duration) -> Duration {
    (ttl / 3).min(HEARTBEAT)
}

/// The answer of the acquire script.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Granted {
        token: Token,
        /// The owner before, if it never released the lease.
        after: Option<String>,
    },
    /// Another node owns it.
    Owned(NodeId),
    /// No node owns it, and this one did not ask to.
    Free,
}

/// The leases of one node.
#[derive(Clone)]
pub struct Leases {
    pub redis: Connection,
    pub me: Peer,
    /// The database of the room types.
    pub database: DatabaseId,
    pub ttl: Duration,
}

impl Leases {
    /// The time between two heartbeats.
    pub fn heartbeat_interval(&self) -> Duration {
        heartbeat_interval(self.ttl)
    }

    /// Takes the lease if it is free or already this node's. Without `may_take`, takes nothing and releases this node's own.
    pub async fn acquire(&self, room_type: RoomTypeId, may_take: bool) -> Result<Reply, Unavailable> {
        let mut call = self.call(&ACQUIRE, room_type);
        call.arg(u8::from(may_take));
        let (token, owner, after): (Option<i64>, Option<String>, Option<String>) = self.redis.run(call).await?;
        match (token, owner) {
            (Some(token), _) => Ok(Reply::Granted { token: Token(token), after }),
            (None, Some(owner)) => Ok(Reply::Owned(name(&owner)?)),
            (None, None) => Ok(Reply::Free),
        }
    }

    /// A token above `seen`; `None` if another node owns the lease by now.
    pub async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Option<Token>, Unavailable> {
        let mut call = self.call(&RAISE, room_type);
        call.arg(seen.0);
        Ok(self.redis.run::<Option<i64>>(call).await?.map(Token))
    }

    /// Renews the lease for a whole TTL. `false`: it is not this node's any more.
    pub async fn renew(&self, room_type: RoomTypeId, token: Token) -> Result<bool, Unavailable> {
        let mut call = self.call(&RENEW, room_type);
        call.arg(token.0);
        Ok(self.redis.run(call).await?)
    }

    /// Releases the lease, if it still has this token. With `for_good`, deletes the fence too.
    pub async fn release(&self, room_type: RoomTypeId, token: Token, for_good: bool) -> Result<(), Unavailable> {
        let mut call = self.on(&RELEASE, room_type);
        call.arg(self.me.node.as_str()).arg(token.0).arg(millis(FENCE_TTL)).arg(u8::from(for_good));
        Ok(self.redis.run(call).await?)
    }

    /// A script call with the node's name and the TTLs.
    fn call(&self, script: &'static Script, room_type: RoomTypeId) -> ScriptInvocation<'static> {
        let mut call = self.on(script, room_type);
        call.arg(self.me.node.as_str()).arg(millis(self.ttl)).arg(millis(FENCE_TTL));
        call
    }

    fn on(&self, script: &'static Script, room_type: RoomTypeId) -> ScriptInvocation<'static> {
        let mut call = script.prepare_invoke();
        call.key(keys::lease(&self.database, room_type)).key(keys::fence(&self.database, room_type));
        call
    }
}

fn name(node: &str) -> Result<NodeId, Unavailable> {
    node.parse().map_err(|()| Unavailable::Unanswered(anyhow!("{node:?} is not a node name")))
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! The leases in Redis: each call is one script, so nothing happens in between.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::anyhow;
use redis::{Script, ScriptInvocation};

use super::keys;
use super::link::Link;
use crate::domain::RoomTypeId;
use crate::lease::{NodeId, Peer, Token, Unavailable};

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("acquire.lua")));
static RAISE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("raise.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("release.lua")));

/// How long Redis remembers the tokens of a room type that nobody uses.
const FENCE_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest that Redis may take for anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);

/// How long Redis may take for anything, with leases of this TTL.
pub fn patience(ttl: Duration) -> Duration {
    (ttl / 3).min(PATIENCE)
}

/// What Redis says to somebody who wants a lease.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Granted {
        token: Token,
        /// The node that had it before and never gave it back.
        after: Option<String>,
    },
    /// Somebody else has it.
    Owned(NodeId),
    /// Nobody has it, and it was not to be granted.
    Free,
}

/// One node's way to its leases.
#[derive(Clone)]
pub struct Leases {
    pub link: Link,
    pub me: Peer,
    /// Of which database the room types are.
    pub database: Arc<str>,
    pub ttl: Duration,
}

impl Leases {
    /// How often the nodes hear of each other.
    pub fn beat_every(&self) -> Duration {
        (self.ttl / 3).min(BEAT)
    }

    /// Takes the lease if it is free or this node's already, and `may_take` it; this node's own is given back if not.
    pub async fn acquire(&self, room_type: RoomTypeId, may_take: bool) -> Result<Reply, Unavailable> {
        let mut call = self.call(&ACQUIRE, room_type);
        call.arg(u8::from(may_take));
        let (token, owner, after): (Option<i64>, Option<String>, Option<String>) = self.link.run(call).await?;
        match (token, owner) {
            (Some(token), _) => Ok(Reply::Granted { token: Token(token), after }),
            (None, Some(owner)) => Ok(Reply::Owned(name(&owner)?)),
            (None, None) => Ok(Reply::Free),
        }
    }

    /// A token above `seen`; `None` if somebody else has the lease by now.
    pub async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Option<Token>, Unavailable> {
        let mut call = self.call(&RAISE, room_type);
        call.arg(seen.0);
        Ok(self.link.run::<Option<i64>>(call).await?.map(Token))
    }

    /// Whether the lease is still this node's, for a whole TTL more.
    pub async fn renew(&self, room_type: RoomTypeId, token: Token) -> Result<bool, Unavailable> {
        let mut call = self.call(&RENEW, room_type);
        call.arg(token.0);
        self.link.run(call).await
    }

    /// Gives the lease back, if it still has this token; with `for_good`, nothing is kept of the room type.
    pub async fn release(&self, room_type: RoomTypeId, token: Token, for_good: bool) -> Result<(), Unavailable> {
        let mut call = self.on(&RELEASE, room_type);
        call.arg(self.me.node.as_str()).arg(token.0).arg(millis(FENCE_TTL)).arg(u8::from(for_good));
        self.link.run(call).await
    }

    /// A call that tells Redis who asks, and for how long.
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
    node.parse().map_err(|()| Unavailable::Unanswered(anyhow!("{node:?} is no name of a node")))
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

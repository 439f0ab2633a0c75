//! The lease of a node without a cluster: always granted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::holdings::{Holding, Holdings};
use super::{Acquired, Asked, Lease, Membership, Node, NodeId, Peer, Revoked, Token, Unavailable};
use crate::clock::Clock;
use crate::domain::{RoomTypeId, Timestamp};

/// Grants every lease. Tokens start at the wall clock's microseconds, so a restarted node is usually above the store's
/// tokens. If the clock went back, the store refuses the token, and [`Lease::raise`] continues above the store's.
pub struct SingleNode {
    last: AtomicI64,
    clock: Arc<dyn Clock>,
    me: Peer,
    since: Timestamp,
    draining: AtomicBool,
    holdings: Holdings,
}

impl SingleNode {
    /// A node with the name [`NodeId::single`].
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::named(Peer { node: NodeId::single(), url: "".into() }, clock)
    }

    pub fn named(me: Peer, clock: Arc<dyn Clock>) -> Self {
        let since = clock.now();
        let (last, draining, holdings) = Default::default();
        Self { last, clock, me, since, draining, holdings }
    }

    fn next_above(&self, room_type: RoomTypeId, floor: i64) -> Token {
        let floor = floor.max(self.clock.now().as_microsecond());
        let next = |last: i64| Some(last.max(floor).saturating_add(1));
        let last = self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap_or(floor);
        let token = Token(last.max(floor).saturating_add(1));
        self.holdings.keep(room_type, token, None);
        token
    }
}

#[async_trait]
impl Lease for SingleNode {
    async fn acquire(&self, room_type: RoomTypeId, _: Asked) -> Result<Acquired, Unavailable> {
        Ok(Acquired::Granted(self.next_above(room_type, 0)))
    }

    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable> {
        Ok(self.next_above(room_type, seen.0))
    }

    /// There is no other node.
    fn is_certain(&self, _: RoomTypeId, _: Token) -> bool {
        true
    }

    fn release(&self, room_type: RoomTypeId, token: Token) {
        self.holdings.forget(room_type, token);
    }

    fn forget(&self, room_type: RoomTypeId, token: Token) {
        self.release(room_type, token);
    }

    fn belongs_here(&self, _: RoomTypeId) -> bool {
        true
    }

    fn last_found(&self, _: RoomTypeId) -> Option<Peer> {
        None
    }

    async fn revoked(&self) -> Vec<Revoked> {
        std::future::pending().await
    }
}

#[async_trait]
impl Membership for SingleNode {
    fn me(&self) -> &Peer {
        &self.me
    }

    fn may_own(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<Node>, Unavailable> {
        let draining = self.draining.load(Ordering::Relaxed);
        let (peer, owned) = (self.me.clone(), self.holdings.len());
        Ok(vec![Node { peer, since: self.since, silent_for: Duration::ZERO, draining, cut_off: false, owned }])
    }

    fn holdings(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding> {
        self.holdings.page(after, limit)
    }

    fn lives(&self, _: &NodeId) -> bool {
        true
    }

    /// There is no node to hand over to.
    fn is_cut_off(&self) -> bool {
        false
    }

    fn stand_in(&self) -> Option<Peer> {
        None
    }

    async fn join(&self) {}

    async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// There are no other nodes.
    async fn known_to_drain(&self) {}

    async fn leave(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test]
    async fn tokens_only_grow_even_when_the_clock_goes_back() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_000).unwrap()));
        let lease = SingleNode::new(clock.clone());
        let room_type = RoomTypeId(uuid::Uuid::nil());
        let acquire = async || match lease.acquire(room_type, Asked::Here).await.unwrap() {
            Acquired::Granted(token) => token,
            Acquired::Elsewhere(peer) => panic!("{peer:?} is somebody else"),
        };
        let first = acquire().await;
        clock.set(Timestamp::UNIX_EPOCH);
        let second = acquire().await;
        assert!(second > first);
        let seen = Token(second.0 + 1_000_000_000);
        assert!(lease.raise(room_type, seen).await.unwrap() > seen);
    }
}

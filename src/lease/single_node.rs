//! The lease of a node that is alone: always granted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;

use super::{Lease, Token, Unavailable};
use crate::clock::Clock;
use crate::domain::RoomTypeId;

/// Grants everything. Tokens start at the wall clock's microseconds, so that a restarted node is usually above what
/// the store has seen; where the clock went back, the store says so and [`Lease::raise`] goes on from there.
pub struct SingleNode {
    last: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl SingleNode {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { last: AtomicI64::new(0), clock }
    }

    fn next_above(&self, floor: i64) -> Token {
        let floor = floor.max(self.clock.now().as_microsecond());
        let next = |last: i64| Some(last.max(floor).saturating_add(1));
        let last = self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap_or(floor);
        Token(last.max(floor).saturating_add(1))
    }
}

#[async_trait]
impl Lease for SingleNode {
    async fn acquire(&self, _: RoomTypeId) -> Result<Token, Unavailable> {
        Ok(self.next_above(0))
    }

    async fn raise(&self, _: RoomTypeId, seen: Token) -> Result<Token, Unavailable> {
        Ok(self.next_above(seen.0))
    }

    async fn release(&self, _: RoomTypeId, _: Token) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use jiff::Timestamp;

    #[tokio::test]
    async fn tokens_only_grow_even_when_the_clock_goes_back() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_000).unwrap()));
        let lease = SingleNode::new(clock.clone());
        let room_type = RoomTypeId(uuid::Uuid::nil());
        let first = lease.acquire(room_type).await.unwrap();
        clock.set(Timestamp::UNIX_EPOCH);
        let second = lease.acquire(room_type).await.unwrap();
        assert!(second > first);
        let seen = Token(second.0 + 1_000_000_000);
        assert!(lease.raise(room_type, seen).await.unwrap() > seen);
    }
}

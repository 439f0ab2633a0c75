//! What this node holds: the room types it was granted and has not given back.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Token;
use crate::domain::RoomTypeId;

/// One room type that this node owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    pub room_type: RoomTypeId,
    pub token: Token,
    /// How long it has been owned under this token.
    pub age: Duration,
}

/// All of them. Every change concerns one token: what is said of an older one comes too late and changes nothing.
#[derive(Debug, Default)]
pub(super) struct Holdings(Mutex<BTreeMap<RoomTypeId, (Token, Instant)>>);

impl Holdings {
    /// A token was granted.
    pub fn keep(&self, room_type: RoomTypeId, token: Token) {
        self.map().insert(room_type, (token, Instant::now()));
        metrics::counter!("innkeeper_leases_acquired_total").increment(1);
        self.show();
    }

    /// A token is over. `false` if it was already.
    pub fn forget(&self, room_type: RoomTypeId, token: Token) -> bool {
        let mut map = self.map();
        let held = map.get(&room_type).is_some_and(|(held, _)| *held == token);
        if held {
            map.remove(&room_type);
        }
        drop(map);
        self.show();
        held
    }

    /// Whatever was held of a room type is over.
    pub fn forget_any(&self, room_type: RoomTypeId) {
        self.map().remove(&room_type);
        self.show();
    }

    /// The token under which a room type is held.
    pub fn token(&self, room_type: RoomTypeId) -> Option<Token> {
        self.map().get(&room_type).map(|(token, _)| *token)
    }

    pub fn len(&self) -> usize {
        self.map().len()
    }

    pub fn all(&self) -> Vec<(RoomTypeId, Token)> {
        self.map().iter().map(|(room_type, (token, _))| (*room_type, *token)).collect()
    }

    /// At most `limit` of them by id, after `after`.
    pub fn page(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let holding = |(room_type, (token, since)): (&RoomTypeId, &(Token, Instant))| Holding {
            room_type: *room_type,
            token: *token,
            age: since.elapsed(),
        };
        self.map().range((from, Bound::Unbounded)).take(limit).map(holding).collect()
    }

    fn show(&self) {
        metrics::gauge!("innkeeper_leases_owned").set(self.len() as f64);
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<RoomTypeId, (Token, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> RoomTypeId {
        RoomTypeId(Uuid::from_u128(n))
    }

    #[test]
    fn what_is_said_of_an_older_token_changes_nothing() {
        let holdings = Holdings::default();
        holdings.keep(id(1), Token(1));
        holdings.keep(id(1), Token(2));
        assert!(!holdings.forget(id(1), Token(1)));
        assert_eq!(holdings.all(), [(id(1), Token(2))]);
        assert!(holdings.forget(id(1), Token(2)));
        assert_eq!(holdings.len(), 0);
    }

    #[test]
    fn pages_follow_each_other() {
        let holdings = Holdings::default();
        (1..=5).for_each(|n| holdings.keep(id(n), Token(1)));
        let ids = |page: Vec<Holding>| page.into_iter().map(|held| held.room_type).collect::<Vec<_>>();
        assert_eq!(ids(holdings.page(None, 3)), [id(1), id(2), id(3)]);
        assert_eq!(ids(holdings.page(Some(id(3)), 3)), [id(4), id(5)]);
    }
}

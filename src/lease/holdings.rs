//! The room types that this node owns: granted and not released.

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
    /// How long this node has owned it under this token.
    pub age: Duration,
    /// Age of the last successful acquire or renew; `None` if there was none.
    pub renewed_ago: Option<Duration>,
}

/// All owned room types. Every change names a token; a change for an older token has no effect.
#[derive(Debug, Default)]
pub(super) struct Holdings(Mutex<BTreeMap<RoomTypeId, Held>>);

#[derive(Debug)]
struct Held {
    token: Token,
    since: Instant,
    /// Send time of the last successful acquire or renew.
    confirmed: Option<Instant>,
}

impl Holdings {
    /// Adds a token. `confirmed` is the send time of its grant; `None` if this node made it without Redis.
    pub fn keep(&self, room_type: RoomTypeId, token: Token, confirmed: Option<Instant>) {
        self.map().insert(room_type, Held { token, since: Instant::now(), confirmed });
        metrics::counter!("innkeeper_leases_acquired_total").increment(1);
        self.show();
    }

    /// Records that a token was renewed by a request sent at `asked`.
    pub fn confirm(&self, room_type: RoomTypeId, token: Token, asked: Instant) {
        if let Some(held) = self.map().get_mut(&room_type).filter(|held| held.token == token) {
            held.confirmed = held.confirmed.max(Some(asked));
        }
    }

    /// Send time of the last successful acquire or renew of this token.
    pub fn confirmed(&self, room_type: RoomTypeId, token: Token) -> Option<Instant> {
        self.map().get(&room_type).filter(|held| held.token == token)?.confirmed
    }

    /// Removes a token. `false` if it was not held.
    pub fn forget(&self, room_type: RoomTypeId, token: Token) -> bool {
        let mut map = self.map();
        let held = map.get(&room_type).is_some_and(|held| held.token == token);
        if held {
            map.remove(&room_type);
        }
        drop(map);
        self.show();
        held
    }

    /// Removes a room type, whatever its token.
    pub fn forget_any(&self, room_type: RoomTypeId) {
        self.map().remove(&room_type);
        self.show();
    }

    /// The current token of a room type.
    pub fn token(&self, room_type: RoomTypeId) -> Option<Token> {
        self.map().get(&room_type).map(|held| held.token)
    }

    pub fn len(&self) -> usize {
        self.map().len()
    }

    pub fn all(&self) -> Vec<(RoomTypeId, Token)> {
        self.map().iter().map(|(room_type, held)| (*room_type, held.token)).collect()
    }

    /// At most `limit` holdings by id, after `after`.
    pub fn page(&self, after: Option<RoomTypeId>, limit: usize) -> Vec<Holding> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let holding = |(room_type, held): (&RoomTypeId, &Held)| Holding {
            room_type: *room_type,
            token: held.token,
            age: held.since.elapsed(),
            renewed_ago: held.confirmed.map(|asked| asked.elapsed()),
        };
        self.map().range((from, Bound::Unbounded)).take(limit).map(holding).collect()
    }

    fn show(&self) {
        metrics::gauge!("innkeeper_leases_owned").set(self.len() as f64);
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<RoomTypeId, Held>> {
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
        holdings.keep(id(1), Token(1), Some(Instant::now()));
        holdings.keep(id(1), Token(2), None);
        holdings.confirm(id(1), Token(1), Instant::now());
        assert_eq!([Token(1), Token(2)].map(|token| holdings.confirmed(id(1), token)), [None, None]);
        assert!(!holdings.forget(id(1), Token(1)));
        assert_eq!(holdings.all(), [(id(1), Token(2))]);
        assert!(holdings.forget(id(1), Token(2)));
        assert_eq!(holdings.len(), 0);
    }

    #[test]
    fn an_answer_that_comes_late_says_nothing_of_the_time_since_it_was_asked_for() {
        let holdings = Holdings::default();
        let (first, second) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        holdings.keep(id(1), Token(1), Some(first));
        holdings.confirm(id(1), Token(1), second);
        holdings.confirm(id(1), Token(1), first);
        assert_eq!(holdings.confirmed(id(1), Token(1)), Some(second));
    }

    #[test]
    fn pages_follow_each_other() {
        let holdings = Holdings::default();
        (1..=5).for_each(|n| holdings.keep(id(n), Token(1), None));
        let ids = |page: Vec<Holding>| page.into_iter().map(|held| held.room_type).collect::<Vec<_>>();
        assert_eq!(ids(holdings.page(None, 3)), [id(1), id(2), id(3)]);
        assert_eq!(ids(holdings.page(Some(id(3)), 3)), [id(4), id(5)]);
    }
}

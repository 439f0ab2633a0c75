//! Live holds of public callers, counted by network and by contact details.
//!
//! A place is taken before the engine is asked, so that a thousand requests at once do not all find room. It is given back
//! only by an answer that proves that nothing was held. A request that ends without an answer, because its client hung up
//! or its outcome is unknown, keeps its place for as long as a hold may live. A hold that is confirmed or released gives
//! its place back; one that runs out is not counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use super::net::Net;
use crate::domain::{Booking, BookingId, Timestamp};
use crate::http::problem::Exceeded;
use crate::store::KeyDigest;

/// Live holds of one network.
const PER_NET: usize = 10;
/// Live holds of one phone number or e-mail address.
const PER_CONTACT: usize = 3;
/// Live public holds that one node remembers.
pub const MAX_HOLDS: usize = 100_000;
/// How long a place is kept for an answer of the engine, at least.
const UNDECIDED: Duration = Duration::from_secs(150);

/// Who has a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Net(Net),
    /// A number made of contact details.
    Contact(u64),
}

/// One hold: repeats of an idempotency key are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Slot {
    Keyed([u8; 32]),
    Nth(u64),
}

/// All live holds.
#[derive(Clone)]
pub struct LiveHolds {
    holds: Arc<Mutex<Holds>>,
    /// How long a place is kept without an answer.
    undecided: SignedDuration,
}

#[derive(Default)]
struct Holds {
    slots: HashMap<Slot, Hold>,
    owners: HashMap<Owner, Vec<Slot>>,
    bookings: HashMap<BookingId, Slot>,
    next: u64,
}

struct Hold {
    owners: Vec<Owner>,
    until: Timestamp,
    booking: Option<BookingId>,
    /// Requests that are being answered: one, and repeats of its key.
    requests: usize,
    /// Whether one of them ended without an answer, so that it may still be held.
    in_doubt: bool,
}

/// A place for a hold that is not decided yet. Dropped, it stays taken.
pub struct HoldPermit {
    holds: LiveHolds,
    slot: Slot,
    owners: Vec<Owner>,
    is_settled: bool,
}

impl LiveHolds {
    /// None yet. `ttl` is how long the hotel keeps a hold.
    pub fn new(ttl: Duration) -> Self {
        let undecided = SignedDuration::try_from(ttl.max(UNDECIDED)).unwrap_or(SignedDuration::MAX);
        Self { holds: Arc::default(), undecided }
    }

    /// A place for a hold of these owners, unless one of them has as many as may be.
    pub fn reserve(&self, owners: Vec<Owner>, key: Option<KeyDigest>, now: Timestamp) -> Result<HoldPermit, Exceeded> {
        let mut holds = self.lock();
        holds.next += 1;
        let slot = key.map_or(Slot::Nth(holds.next), |digest| Slot::Keyed(digest.0));
        let is_repeat = holds.slots.get(&slot).is_some_and(|hold| hold.until > now);
        if !is_repeat {
            for owner in &owners {
                holds.check(*owner, now)?;
            }
            if holds.slots.len() >= MAX_HOLDS {
                holds.forget(now);
            }
            if holds.slots.len() >= MAX_HOLDS {
                return Err(exceeded("public-holds", MAX_HOLDS, 60));
            }
            let requests = holds.remove(slot);
            let until = now.saturating_add(self.undecided).unwrap_or(Timestamp::MAX);
            let hold = Hold { owners: owners.clone(), until, booking: None, requests, in_doubt: false };
            holds.insert(slot, hold);
        }
        if let Some(hold) = holds.slots.get_mut(&slot) {
            hold.requests += 1;
        }
        drop(holds);
        Ok(HoldPermit { holds: self.clone(), slot, owners, is_settled: false })
    }

    /// Notes that a booking is not a hold any more.
    pub fn release(&self, booking: BookingId) {
        let mut holds = self.lock();
        if let Some(slot) = holds.bookings.get(&booking).copied() {
            holds.remove(slot);
        }
    }

    /// Forgets what has run out.
    pub fn forget(&self, now: Timestamp) {
        self.lock().forget(now);
    }

    fn lock(&self) -> MutexGuard<'_, Holds> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HoldPermit {
    /// Keeps the place for as long as the booking is a hold.
    pub fn keep(mut self, booking: &Booking) {
        let Some(until) = booking.status.expires_at() else { return self.release() };
        let mut holds = self.holds.lock();
        // Another answer under the same key may have given the place back.
        if !holds.slots.contains_key(&self.slot) {
            let owners = self.owners.clone();
            holds.insert(self.slot, Hold { owners, until, booking: None, requests: 1, in_doubt: false });
        }
        if let Some(hold) = holds.slots.get_mut(&self.slot) {
            (hold.until, hold.booking) = (until, Some(booking.id));
            hold.requests = hold.requests.saturating_sub(1);
        }
        holds.bookings.insert(booking.id, self.slot);
        drop(holds);
        self.is_settled = true;
    }

    /// Gives the place back: this request holds nothing, and never will.
    pub fn release(mut self) {
        let mut holds = self.holds.lock();
        if let Some(hold) = holds.slots.get_mut(&self.slot) {
            hold.requests = hold.requests.saturating_sub(1);
            if hold.requests == 0 && hold.booking.is_none() && !hold.in_doubt {
                holds.remove(self.slot);
            }
        }
        drop(holds);
        self.is_settled = true;
    }
}

impl Drop for HoldPermit {
    fn drop(&mut self) {
        if !self.is_settled
            && let Some(hold) = self.holds.lock().slots.get_mut(&self.slot)
        {
            hold.requests = hold.requests.saturating_sub(1);
            hold.in_doubt = true;
        }
    }
}

impl Holds {
    fn check(&mut self, owner: Owner, now: Timestamp) -> Result<(), Exceeded> {
        let (policy, limit) = match owner {
            Owner::Net(_) => ("public-holds-per-net", PER_NET),
            Owner::Contact(_) => ("public-holds-per-contact", PER_CONTACT),
        };
        let live = |slot: &Slot| Some(self.slots.get(slot)?.until).filter(|until| *until > now);
        let ends: Vec<_> = self.owners.get(&owner).into_iter().flatten().filter_map(live).collect();
        match ends.iter().min() {
            Some(first) if ends.len() >= limit => {
                Err(exceeded(policy, limit, first.duration_since(now).as_secs().saturating_add(1)))
            }
            _ => Ok(()),
        }
    }

    fn insert(&mut self, slot: Slot, hold: Hold) {
        for owner in &hold.owners {
            self.owners.entry(*owner).or_default().push(slot);
        }
        self.slots.insert(slot, hold);
    }

    /// Removes a place, if it is there; how many requests are being answered under it.
    fn remove(&mut self, slot: Slot) -> usize {
        let Some(hold) = self.slots.remove(&slot) else { return 0 };
        if let Some(booking) = hold.booking {
            self.bookings.remove(&booking);
        }
        for owner in hold.owners {
            let Some(slots) = self.owners.get_mut(&owner) else { continue };
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.owners.remove(&owner);
            }
        }
        hold.requests
    }

    fn forget(&mut self, now: Timestamp) {
        let over: Vec<_> = self.slots.iter().filter(|(_, hold)| hold.until <= now).map(|(slot, _)| *slot).collect();
        for slot in over {
            self.remove(slot);
        }
    }
}

/// So many at once: the window is the time until the first of them ends.
fn exceeded(policy: &'static str, limit: usize, secs: i64) -> Exceeded {
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    Exceeded { policy, limit, window_secs: secs.unsigned_abs(), retry_after_secs: secs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;
    use crate::domain::testing::{book, inventory, noon, order, run, stay};

    const NET: Owner = Owner::Net(Net::V6(1));

    fn all() -> LiveHolds {
        LiveHolds::new(Duration::from_secs(900))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn held(n: u128, until: i64) -> Booking {
        let fact = run(&mut inventory(1), book(1, order(stay(1, 1), 1), noon(0)), noon(0)).unwrap();
        let booking = fact.change.booking().unwrap().as_ref().clone();
        let id = BookingId(uuid::Uuid::from_u128(n));
        Booking { id, status: Status::Held { expires_at: at(until) }, ..booking }
    }

    #[test]
    fn live_holds_are_counted_until_they_run_out() {
        let holds = all();
        for n in 0..10 {
            holds.reserve(vec![NET], None, at(0)).unwrap().keep(&held(n, 900));
        }
        let exceeded = holds.reserve(vec![NET], None, at(100)).err().unwrap();
        assert_eq!((exceeded.policy, exceeded.retry_after_secs), ("public-holds-per-net", 801));
        holds.reserve(vec![Owner::Net(Net::V6(2))], None, at(100)).unwrap().release();
        holds.reserve(vec![NET], None, at(900)).unwrap().release();
        holds.forget(at(900));
        assert!(holds.lock().slots.is_empty() && holds.lock().owners.is_empty() && holds.lock().bookings.is_empty());
    }

    #[test]
    fn a_hold_that_is_confirmed_or_was_refused_gives_its_place_back() {
        let holds = all();
        let contact = Owner::Contact(7);
        for n in 0..3 {
            holds.reserve(vec![contact], None, at(0)).unwrap().keep(&held(n, 900));
        }
        assert!(holds.reserve(vec![contact], None, at(0)).is_err());
        holds.release(held(1, 900).id);
        holds.reserve(vec![contact], None, at(0)).unwrap().release();
        holds.reserve(vec![contact], None, at(0)).unwrap().keep(&held(9, 900));
        assert!(holds.reserve(vec![contact], None, at(0)).is_err());
    }

    #[test]
    fn places_are_taken_before_the_answer_is_known() {
        let holds = all();
        let places: Vec<_> = (0..1_000).filter_map(|_| holds.reserve(vec![NET], None, at(0)).ok()).collect();
        assert_eq!(places.len(), 10);
    }

    #[test]
    fn a_repeat_of_a_key_takes_no_second_place() {
        let holds = all();
        let key = |n| Some(KeyDigest([n; 32]));
        for n in 0..3 {
            holds.reserve(vec![Owner::Contact(7)], key(n), at(0)).unwrap().keep(&held(n.into(), 900));
        }
        holds.reserve(vec![Owner::Contact(7)], key(1), at(0)).unwrap().release();
        assert!(holds.reserve(vec![Owner::Contact(7)], key(3), at(0)).is_err());
    }

    #[test]
    fn a_request_that_ends_without_an_answer_keeps_its_place() {
        let holds = all();
        for n in 0..3 {
            drop(holds.reserve(vec![Owner::Contact(7)], Some(KeyDigest([n; 32])), at(0)).unwrap());
        }
        assert!(holds.reserve(vec![Owner::Contact(7)], None, at(899)).is_err());
        // A repeat that is refused says nothing of the request before it.
        holds.reserve(vec![Owner::Contact(7)], Some(KeyDigest([1; 32])), at(1)).unwrap().release();
        assert!(holds.reserve(vec![Owner::Contact(7)], None, at(899)).is_err());
        holds.reserve(vec![Owner::Contact(7)], None, at(900)).unwrap();
    }

    #[test]
    fn of_two_requests_with_one_key_the_one_that_holds_keeps_the_place() {
        let holds = all();
        let key = |n| Some(KeyDigest([n; 32]));
        for n in 0..3 {
            let first = holds.reserve(vec![Owner::Contact(7)], key(n), at(0)).unwrap();
            let second = holds.reserve(vec![Owner::Contact(7)], key(n), at(0)).unwrap();
            first.release();
            second.keep(&held(n.into(), 900));
        }
        assert!(holds.reserve(vec![Owner::Contact(7)], key(3), at(0)).is_err());
    }
}

//! Live holds of public callers, counted by network and by contact details.
//!
//! A slot is reserved before the engine decides, so that simultaneous requests cannot exceed the limit. The slot is
//! released when an answer proves that nothing was held, and when the hold is confirmed or released. If the client
//! closes its connection, or the outcome is unknown, the slot stays reserved for the life of a hold. An expired hold
//! does not count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use super::net::Net;
use crate::domain::{Booking, BookingId, Timestamp};
use crate::http::problem::Exceeded;
use crate::store::KeyDigest;

/// The limit of live holds of one network.
const PER_NET: usize = 10;
/// The limit of live holds of one phone number or e-mail address.
const PER_CONTACT: usize = 3;
/// The limit of live public holds on one node.
pub const MAX_HOLDS: usize = 100_000;
/// The shortest time for which a slot stays reserved without an answer.
const UNDECIDED: Duration = Duration::from_secs(150);

/// The network or the contact that a hold counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Net(Net),
    /// A hash of contact details.
    Contact(u64),
}

/// Identifies a hold. Requests with the same idempotency key share a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Slot {
    Keyed([u8; 32]),
    Nth(u64),
}

/// The live holds of all public callers. Clones share them.
#[derive(Clone)]
pub struct LiveHolds {
    holds: Arc<Mutex<Holds>>,
    /// How long a slot stays reserved without an answer.
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
    /// The number of requests in progress: the first one and repeats of its key.
    requests: usize,
    /// Whether a request ended without an answer, so that its hold may exist.
    unknown_outcome: bool,
}

/// A reserved slot. Dropping the permit keeps the slot reserved, because the outcome is unknown.
pub struct HoldPermit {
    holds: LiveHolds,
    slot: Slot,
    owners: Vec<Owner>,
    is_settled: bool,
}

impl LiveHolds {
    /// No holds. `ttl` is how long a hold lives.
    pub fn new(ttl: Duration) -> Self {
        let undecided = SignedDuration::try_from(ttl.max(UNDECIDED)).unwrap_or(SignedDuration::MAX);
        Self { holds: Arc::default(), undecided }
    }

    /// Reserves a slot, unless one of the owners has reached its limit.
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
            let hold = Hold { owners: owners.clone(), until, booking: None, requests, unknown_outcome: false };
            holds.insert(slot, hold);
        }
        if let Some(hold) = holds.slots.get_mut(&slot) {
            hold.requests += 1;
        }
        drop(holds);
        Ok(HoldPermit { holds: self.clone(), slot, owners, is_settled: false })
    }

    /// Releases the slot of a booking that is no longer a hold.
    pub fn release(&self, booking: BookingId) {
        let mut holds = self.lock();
        if let Some(slot) = holds.bookings.get(&booking).copied() {
            holds.remove(slot);
        }
    }

    /// Drops expired holds.
    pub fn forget(&self, now: Timestamp) {
        self.lock().forget(now);
    }

    fn lock(&self) -> MutexGuard<'_, Holds> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HoldPermit {
    /// Keeps the slot as long as the booking is a hold.
    pub fn keep(mut self, booking: &Booking) {
        let Some(until) = booking.status.expires_at() else { return self.release() };
        let mut holds = self.holds.lock();
        // Another answer with the same key may have released the slot.
        if !holds.slots.contains_key(&self.slot) {
            let owners = self.owners.clone();
            holds.insert(self.slot, Hold { owners, until, booking: None, requests: 1, unknown_outcome: false });
        }
        if let Some(hold) = holds.slots.get_mut(&self.slot) {
            (hold.until, hold.booking) = (until, Some(booking.id));
            hold.requests = hold.requests.saturating_sub(1);
        }
        holds.bookings.insert(booking.id, self.slot);
        drop(holds);
        self.is_settled = true;
    }

    /// Releases the slot: this request has held nothing, and never will.
    pub fn release(mut self) {
        let mut holds = self.holds.lock();
        if let Some(hold) = holds.slots.get_mut(&self.slot) {
            hold.requests = hold.requests.saturating_sub(1);
            if hold.requests == 0 && hold.booking.is_none() && !hold.unknown_outcome {
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
            hold.unknown_outcome = true;
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

    /// Removes a slot. Returns its number of requests in progress, 0 if the slot does not exist.
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

/// A limit on a number of holds. Its window is the time until the first of them expires.
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
    fn a_confirmed_or_refused_hold_releases_its_slot() {
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
    fn slots_are_reserved_before_the_engine_decides() {
        let holds = all();
        let places: Vec<_> = (0..1_000).filter_map(|_| holds.reserve(vec![NET], None, at(0)).ok()).collect();
        assert_eq!(places.len(), 10);
    }

    #[test]
    fn a_repeated_key_reserves_no_second_slot() {
        let holds = all();
        let key = |n| Some(KeyDigest([n; 32]));
        for n in 0..3 {
            holds.reserve(vec![Owner::Contact(7)], key(n), at(0)).unwrap().keep(&held(n.into(), 900));
        }
        holds.reserve(vec![Owner::Contact(7)], key(1), at(0)).unwrap().release();
        assert!(holds.reserve(vec![Owner::Contact(7)], key(3), at(0)).is_err());
    }

    #[test]
    fn a_request_that_ends_without_an_answer_keeps_its_slot() {
        let holds = all();
        for n in 0..3 {
            drop(holds.reserve(vec![Owner::Contact(7)], Some(KeyDigest([n; 32])), at(0)).unwrap());
        }
        assert!(holds.reserve(vec![Owner::Contact(7)], None, at(899)).is_err());
        // A refused repeat does not prove that the first request held nothing.
        holds.reserve(vec![Owner::Contact(7)], Some(KeyDigest([1; 32])), at(1)).unwrap().release();
        assert!(holds.reserve(vec![Owner::Contact(7)], None, at(899)).is_err());
        holds.reserve(vec![Owner::Contact(7)], None, at(900)).unwrap();
    }

    #[test]
    fn of_two_requests_with_one_key_the_one_that_holds_keeps_the_slot() {
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

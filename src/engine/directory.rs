//! The directory: how to reach the actor of a room type on this node.
//!
//! It maps room types to addresses and counts the actors in memory. Starting an actor is the job of `room_type/`.
//! An actor removes itself when it retires.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::Addr;
use dashmap::{DashMap, Entry};

use super::message::Request;
use super::room_type::RoomTypeActor;
use crate::domain::RoomTypeId;

/// The number of requests that an actor has not taken from its mailbox.
///
/// This counter limits the mailbox. actix cannot: it gives every clone of an address one place beyond the mailbox's
/// capacity, and each request clones the address.
#[derive(Debug, Default)]
pub(super) struct MailboxDepth(AtomicUsize);

impl MailboxDepth {
    /// Counts one more request, unless `limit` requests are counted already.
    pub fn enter(&self, limit: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < limit).then_some(n + 1)).is_ok()
    }

    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn is_zero(&self) -> bool {
        self.get() == 0
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The address of an actor, with the counter that limits its mailbox.
#[derive(Clone)]
pub(super) struct ActorRef {
    pub addr: Addr<RoomTypeActor>,
    pub depth: Arc<MailboxDepth>,
}

impl ActorRef {
    /// Sends a request that must arrive, even to a full mailbox. Later requests are handled after it.
    pub fn send_unbounded(&self, request: Request) {
        self.depth.enter(usize::MAX);
        self.addr.do_send(request);
    }
}

/// All actors of this node.
#[derive(Default)]
pub(super) struct Directory {
    actors: DashMap<RoomTypeId, ActorRef>,
    /// Actors in memory, including retired ones that are no longer in `actors`.
    alive: AtomicUsize,
}

impl Directory {
    /// The actor of a room type. `start` makes one if there is none.
    pub fn find_or_insert(&self, id: RoomTypeId, start: impl FnOnce() -> ActorRef) -> ActorRef {
        match self.actors.entry(id) {
            Entry::Occupied(entry) if entry.get().addr.connected() => entry.get().clone(),
            Entry::Occupied(mut entry) => {
                let fresh = start();
                entry.insert(fresh.clone());
                fresh
            }
            Entry::Vacant(entry) => entry.insert(start()).clone(),
        }
    }

    /// The actor of a room type, if it is in memory.
    pub fn find(&self, id: RoomTypeId) -> Option<ActorRef> {
        self.actors.get(&id).filter(|actor| actor.addr.connected()).map(|actor| actor.clone())
    }

    /// Removes one particular actor. Its successor, if there is one, stays.
    pub fn remove(&self, id: RoomTypeId, addr: &Addr<RoomTypeActor>) {
        self.actors.remove_if(&id, |_, actor| actor.addr == *addr);
    }

    pub fn all(&self) -> Vec<ActorRef> {
        self.actors.iter().map(|actor| actor.clone()).collect()
    }

    /// Counts an actor that was created.
    pub fn actor_created(&self) {
        self.alive.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an actor that was dropped.
    pub fn actor_dropped(&self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Requests that wait in the mailboxes of all actors in the directory.
    pub fn waiting(&self) -> usize {
        self.actors.iter().map(|actor| actor.depth.get()).sum()
    }
}

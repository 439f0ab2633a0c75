//! The directory: which actor owns a room type on this node, and the threads that actors live on.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Addr, Supervisor};
use actix_rt::{Arbiter, ArbiterHandle, System};
use dashmap::{DashMap, Entry};
use tracing::warn;

use super::Shared;
use super::room_type::RoomTypeActor;
use crate::domain::RoomTypeId;
use crate::lease::Asked;

/// Requests that an actor has not taken up yet. This is what bounds a mailbox: actix grants every clone of an address a
/// place beyond the mailbox's capacity, and every request has a clone of its own.
#[derive(Debug, Default)]
pub(super) struct Depth(AtomicUsize);

impl Depth {
    /// Counts one more, unless there are `limit` already.
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

/// How to reach an actor.
#[derive(Clone)]
pub(super) struct Resident {
    pub addr: Addr<RoomTypeActor>,
    pub depth: Arc<Depth>,
}

/// All actors of this node.
pub(super) struct Directory {
    residents: DashMap<RoomTypeId, Resident>,
    /// Actors in memory, also those that have left the directory.
    alive: AtomicUsize,
    threads: Threads,
}

impl Directory {
    /// `threads` of 0 keeps all actors on the caller's thread.
    pub fn new(threads: usize) -> Self {
        Self { residents: DashMap::new(), alive: AtomicUsize::new(0), threads: Threads::start(threads) }
    }

    /// The actor of a room type, started if there is none: then `asked` says where the request came in.
    pub fn find_or_start(&self, id: RoomTypeId, asked: Asked, shared: &Arc<Shared>) -> Resident {
        match self.residents.entry(id) {
            Entry::Occupied(entry) if entry.get().addr.connected() => entry.get().clone(),
            Entry::Occupied(mut entry) => {
                let fresh = self.start(id, asked, shared);
                entry.insert(fresh.clone());
                fresh
            }
            Entry::Vacant(entry) => entry.insert(self.start(id, asked, shared)).clone(),
        }
    }

    fn start(&self, id: RoomTypeId, asked: Asked, shared: &Arc<Shared>) -> Resident {
        let depth = Arc::new(Depth::default());
        let actor = RoomTypeActor::new(id, asked, shared.clone(), depth.clone());
        let addr = match self.threads.of(id) {
            Some(thread) => Supervisor::start_in_arbiter(&thread, |_| actor),
            None => Supervisor::start(|_| actor),
        };
        Resident { addr, depth }
    }

    /// The actor of a room type, if it is in memory.
    pub fn find(&self, id: RoomTypeId) -> Option<Resident> {
        self.residents.get(&id).filter(|resident| resident.addr.connected()).map(|resident| resident.clone())
    }

    /// Forgets one particular actor; a successor that is already there stays.
    pub fn remove(&self, id: RoomTypeId, addr: &Addr<RoomTypeActor>) {
        self.residents.remove_if(&id, |_, resident| resident.addr == *addr);
    }

    pub fn all(&self) -> Vec<Resident> {
        self.residents.iter().map(|resident| resident.clone()).collect()
    }

    /// An actor has come into memory.
    pub fn born(&self) {
        self.alive.fetch_add(1, Ordering::Relaxed);
    }

    /// An actor has left memory.
    pub fn died(&self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Requests that actors of the directory have not taken up yet.
    pub fn waiting(&self) -> usize {
        self.residents.iter().map(|resident| resident.depth.get()).sum()
    }

    pub fn stop_threads(&self) {
        self.threads.stop();
    }
}

/// A few threads, each with its own event loop. One that has died is replaced.
struct Threads {
    arbiters: Mutex<Vec<ArbiterHandle>>,
    /// The caller's own, for actors that are to stay there: they may be started from any task of its runtime.
    own: Option<ArbiterHandle>,
    system: Option<System>,
}

impl Threads {
    fn start(count: usize) -> Self {
        let arbiters = (0..count).map(|_| Arbiter::new().handle()).collect();
        Self { arbiters: Mutex::new(arbiters), own: Arbiter::try_current(), system: System::try_current() }
    }

    /// The thread a room type's actor belongs on; `None` means the current one.
    fn of(&self, id: RoomTypeId) -> Option<ArbiterHandle> {
        let mut arbiters = self.arbiters.lock().unwrap_or_else(PoisonError::into_inner);
        if arbiters.is_empty() {
            return self.own.clone();
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let slot = usize::try_from(hash % arbiters.len() as u64).unwrap_or(0);
        let alive = arbiters[slot].spawn(std::future::ready(()));
        if !alive {
            warn!(slot, "a thread of the engine has died and is replaced");
            arbiters[slot] = self.replacement().unwrap_or_else(|| arbiters[slot].clone());
        }
        Some(arbiters[slot].clone())
    }

    /// A new thread. Threads can only be made on one that knows the system, so a short-lived one introduces itself.
    fn replacement(&self) -> Option<ArbiterHandle> {
        let system = self.system.clone()?;
        std::thread::spawn(move || {
            System::set_current(system);
            Arbiter::new().handle()
        })
        .join()
        .ok()
    }

    fn stop(&self) {
        for arbiter in self.arbiters.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            arbiter.stop();
        }
    }
}

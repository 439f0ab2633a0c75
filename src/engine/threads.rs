//! The threads that actors run on: a few arbiters, each with its own event loop.
//!
//! A room type's actor always gets the same thread, chosen by a hash of its id. An arbiter that has died is replaced.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, PoisonError};

use actix_rt::{Arbiter, ArbiterHandle, System};
use tracing::warn;

use crate::domain::RoomTypeId;

pub(super) struct Threads {
    arbiters: Mutex<Vec<ArbiterHandle>>,
    /// The arbiter of the caller of [`Threads::start`]. It runs all actors when there are no other threads.
    own: Option<ArbiterHandle>,
    system: Option<System>,
}

impl Threads {
    /// Starts `count` threads. With 0, all actors run on the caller's thread.
    pub fn start(count: usize) -> Self {
        let arbiters = (0..count).map(|_| Arbiter::new().handle()).collect();
        Self { arbiters: Mutex::new(arbiters), own: Arbiter::try_current(), system: System::try_current() }
    }

    /// The thread of a room type's actor. `None` means the current thread.
    pub fn of(&self, id: RoomTypeId) -> Option<ArbiterHandle> {
        let mut arbiters = self.arbiters.lock().unwrap_or_else(PoisonError::into_inner);
        if arbiters.is_empty() {
            return self.own.clone();
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let slot = usize::try_from(hash % arbiters.len() as u64).unwrap_or(0);
        let is_alive = arbiters[slot].spawn(std::future::ready(()));
        if !is_alive {
            warn!(slot, "an actor thread has died and is replaced");
            arbiters[slot] = self.replacement().unwrap_or_else(|| arbiters[slot].clone());
        }
        Some(arbiters[slot].clone())
    }

    /// Starts an arbiter from a new thread, because the current thread may not belong to the actix system.
    fn replacement(&self) -> Option<ArbiterHandle> {
        let system = self.system.clone()?;
        std::thread::spawn(move || {
            System::set_current(system);
            Arbiter::new().handle()
        })
        .join()
        .ok()
    }

    pub fn stop(&self) {
        for arbiter in self.arbiters.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            arbiter.stop();
        }
    }
}

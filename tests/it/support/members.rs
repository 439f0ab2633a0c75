//! The table of the nodes in memory, for leases without a store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use innkeeper::store::{DatabaseId, Error, Instance, Members, Roster};
use uuid::Uuid;

static TABLE: LazyLock<Mutex<HashMap<Uuid, i64>>> = LazyLock::new(Mutex::default);

/// The id of the database that all of these share.
pub fn database() -> DatabaseId {
    DatabaseId::of(&[1; 32], 1, 1)
}

/// A node's way to the table.
#[derive(Clone, Default)]
pub struct MemoryMembers {
    state: Arc<AtomicU8>,
    /// The beats of the nodes that use it.
    beats: Arc<Mutex<HashMap<Uuid, i64>>>,
}

const READ_ONLY: u8 = 1;
const CUT_OFF: u8 = 2;

impl MemoryMembers {
    pub fn set(&self, answers: bool) {
        self.state.store(if answers { 0 } else { CUT_OFF }, Ordering::SeqCst);
    }

    /// The fewest heartbeats of a node that uses it.
    pub fn fewest_beats(&self) -> i64 {
        self.beats.lock().unwrap().values().min().copied().unwrap_or(0)
    }

    /// It answers, and takes no writes.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.state.store(if is_read_only { READ_ONLY } else { 0 }, Ordering::SeqCst);
    }
}

#[async_trait]
impl Members for MemoryMembers {
    async fn heartbeat(&self, me: &Instance, peers: &[Uuid]) -> Result<Roster, Error> {
        let state = self.state.load(Ordering::SeqCst);
        if state == CUT_OFF {
            return Err(Error::Unavailable(anyhow::anyhow!("it is cut off")));
        }
        let mut table = TABLE.lock().unwrap();
        let mut commit = || {
            let own = table.entry(me.id).or_default();
            *own += 1;
            self.beats.lock().unwrap().insert(me.id, *own);
            *own
        };
        let committed = (state != READ_ONLY).then(&mut commit);
        let beats = peers.iter().filter_map(|peer| Some((*peer, *table.get(peer)?))).collect();
        Ok(Roster { database: database(), committed, beats })
    }
}

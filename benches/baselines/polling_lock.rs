//! Baseline (a): a lock per room type, polled every 50 ms, and then one transaction per booking: what the usual tutorial
//! does.
//!
//! Who waits asks more often than the libraries do that are used for it (redis-py every 100 ms, node-redlock every 200 to
//! 300 ms, both as they come), which is in its favour. Beside a file the lock is in memory and costs nothing, which
//! flatters it again; beside PostgreSQL, which several servers share, it is a [`super::RedisLock`].

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::clock::{IdSource, System};
use innkeeper::domain::RoomTypeId;
use uuid::Uuid;

use crate::contest::{Desk, Wish};

const POLL: Duration = Duration::from_millis(50);

/// One lock for each room type.
#[async_trait]
pub trait Lock: Send + Sync {
    /// Whether it was free, and is `owner`'s now.
    async fn try_lock(&self, room_type: RoomTypeId, owner: Uuid) -> bool;
    async fn unlock(&self, room_type: RoomTypeId, owner: Uuid);
}

pub struct PollingLock<L> {
    lock: L,
    transaction: Arc<dyn Desk>,
}

impl<L: Lock> PollingLock<L> {
    /// `transaction` is what is done under the lock.
    pub fn around(transaction: Arc<dyn Desk>, lock: L) -> Self {
        Self { lock, transaction }
    }
}

#[async_trait]
impl<L: Lock> Desk for PollingLock<L> {
    async fn book(&self, wish: Wish) -> bool {
        let (room_type, owner) = (wish.room_type, System.next());
        while !self.lock.try_lock(room_type, owner).await {
            tokio::time::sleep(POLL).await;
        }
        let sold = self.transaction.book(wish).await;
        self.lock.unlock(room_type, owner).await;
        sold
    }
}

/// Locks of one process.
#[derive(Default)]
pub struct MemoryLock(Mutex<HashSet<RoomTypeId>>);

#[async_trait]
impl Lock for MemoryLock {
    async fn try_lock(&self, room_type: RoomTypeId, _owner: Uuid) -> bool {
        self.0.lock().unwrap().insert(room_type)
    }

    async fn unlock(&self, room_type: RoomTypeId, _owner: Uuid) {
        self.0.lock().unwrap().remove(&room_type);
    }
}

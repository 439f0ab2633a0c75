//! Baseline (a): a lock per room type, polled every 50 ms, and then one transaction per booking. Many tutorials show this
//! design.
//!
//! Common libraries poll less often by default: redis-py every 100 ms, node-redlock every 200 to 300 ms. So the interval here
//! favours the baseline. With SQLite the lock is in memory and costs nothing, which favours it again. With PostgreSQL, which
//! several servers share, it is a [`super::RedisLock`].

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::clock::{IdSource, System};
use innkeeper::domain::RoomTypeId;
use uuid::Uuid;

use crate::contest::{Seller, StayRequest};

const POLL: Duration = Duration::from_millis(50);

/// One lock for each room type.
#[async_trait]
pub trait Lock: Send + Sync {
    /// Takes the lock for `owner` if it is free.
    async fn try_lock(&self, room_type: RoomTypeId, owner: Uuid) -> bool;
    async fn unlock(&self, room_type: RoomTypeId, owner: Uuid);
}

pub struct PollingLock<L> {
    lock: L,
    transaction: Arc<dyn Seller>,
}

impl<L: Lock> PollingLock<L> {
    /// A polling lock around a transaction.
    pub fn around(transaction: Arc<dyn Seller>, lock: L) -> Self {
        Self { lock, transaction }
    }
}

#[async_trait]
impl<L: Lock> Seller for PollingLock<L> {
    async fn book(&self, stay_request: StayRequest) -> bool {
        let (room_type, owner) = (stay_request.room_type, System.next());
        while !self.lock.try_lock(room_type, owner).await {
            tokio::time::sleep(POLL).await;
        }
        let sold = self.transaction.book(stay_request).await;
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

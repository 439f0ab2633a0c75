//! Baseline (a): a lock per room type, polled every 50 ms, and then one transaction per booking: what the usual
//! tutorial does with Redis. Here the lock is in memory and costs nothing, which flatters it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;

use super::Serialised;
use crate::contest::{Desk, Wish};

const POLL: Duration = Duration::from_millis(50);

pub struct PollingLock {
    locked: Mutex<HashSet<RoomTypeId>>,
    transaction: Serialised,
}

impl PollingLock {
    pub async fn open(path: &Path) -> Self {
        Self { locked: Mutex::default(), transaction: Serialised::open(path).await }
    }
}

#[async_trait]
impl Desk for PollingLock {
    async fn book(&self, wish: Wish) -> bool {
        let room_type = wish.room_type;
        while !self.locked.lock().unwrap().insert(room_type) {
            tokio::time::sleep(POLL).await;
        }
        let sold = self.transaction.book(wish).await;
        self.locked.lock().unwrap().remove(&room_type);
        sold
    }
}

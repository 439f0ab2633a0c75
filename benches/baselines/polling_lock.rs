//! Baseline (a): a lock per room type, polled every 50 ms, and then one transaction per booking: what the usual
//! tutorial does with Redis. Here the lock is in memory and costs nothing, which flatters it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;

use crate::contest::{Desk, Wish};

const POLL: Duration = Duration::from_millis(50);

pub struct PollingLock {
    locked: Mutex<HashSet<RoomTypeId>>,
    transaction: Arc<dyn Desk>,
}

impl PollingLock {
    /// `transaction` is what is done under the lock.
    pub fn around(transaction: Arc<dyn Desk>) -> Self {
        Self { locked: Mutex::default(), transaction }
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

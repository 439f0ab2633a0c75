//! The lock of baseline (a) for several servers: one key in Redis for each room type. `SET NX PX` sets it with a value that
//! only its owner knows, and a script deletes it if the value is unchanged. This is the method of the Redis manual for one
//! server ("Distributed locks with Redis"). No transaction here reaches the TTL, so it is not renewed.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;
use redis::aio::MultiplexedConnection;
use redis::{Client, Script};
use uuid::Uuid;

use super::polling_lock::Lock;

const TTL: Duration = Duration::from_secs(10);
static UNLOCK: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end")
});

/// One connection that pipelines the commands of all callers.
pub struct RedisLock(MultiplexedConnection);

impl RedisLock {
    pub async fn connect(url: &str) -> Self {
        Self(Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap())
    }
}

#[async_trait]
impl Lock for RedisLock {
    async fn try_lock(&self, room_type: RoomTypeId, owner: Uuid) -> bool {
        let mut set = redis::cmd("SET");
        set.arg(key(room_type)).arg(owner.to_string()).arg("NX").arg("PX").arg(TTL.as_millis() as u64);
        set.query_async::<Option<String>>(&mut self.0.clone()).await.unwrap().is_some()
    }

    async fn unlock(&self, room_type: RoomTypeId, owner: Uuid) {
        let mut unlock = UNLOCK.key(key(room_type));
        let deleted: u32 = unlock.arg(owner.to_string()).invoke_async(&mut self.0.clone()).await.unwrap();
        assert_eq!(deleted, 1, "the transaction ended before the TTL of its lock");
    }
}

fn key(room_type: RoomTypeId) -> String {
    format!("lock:{room_type}")
}

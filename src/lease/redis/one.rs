//! The connection to a single Redis, and to whoever takes its place.
//!
//! A connection that breaks is made anew by the next call. Two kinds do not break, however long they are of no use: one
//! whose server has vanished without a word answers nothing, for a quarter of an hour, and one whose server has become
//! another one's replica refuses every change. The address may lead to another server by now, so they are left, and the
//! next call connects again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation, ServerErrorKind,
};

/// Commands that may wait for the connection.
const PIPELINE: usize = 1_024;

/// One address.
pub(super) struct One {
    client: Client,
    config: ConnectionManagerConfig,
    current: Mutex<Current>,
}

/// The connection that is used now.
#[derive(Clone)]
struct Current {
    manager: ConnectionManager,
    /// How many were left before it.
    generation: u64,
}

impl One {
    /// Fails at once when Redis is away. Redis need not be there yet. Needs a runtime.
    pub fn new(address: ConnectionInfo, patience: Duration) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience))
            .set_pipeline_buffer_size(PIPELINE);
        let client = Client::open(address)?;
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { client, config, current: Mutex::new(Current { manager, generation: 0 }) })
    }

    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'static>) -> RedisResult<T> {
        let Current { mut manager, generation } = self.current().clone();
        let mut trial = Trial { one: self, generation, failed: true };
        let answer = script.invoke_async(&mut manager).await;
        trial.failed = answer.as_ref().is_err_and(is_of_no_use);
        answer
    }

    /// Of all who find out at once, the first one leaves it.
    fn leave(&self, generation: u64) {
        let mut current = self.current();
        if current.generation != generation {
            return;
        }
        if let Ok(manager) = ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone()) {
            tracing::debug!("redis is silent, or a replica: its address is asked for another connection");
            *current = Current { manager, generation: generation + 1 };
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that shows what its connection is worth: one that is given up before it ends has failed.
struct Trial<'o> {
    one: &'o One,
    generation: u64,
    failed: bool,
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.failed {
            self.one.leave(self.generation);
        }
    }
}

/// Whether an error says that the next call over this connection is to fail, too, though it does not break.
fn is_of_no_use(error: &RedisError) -> bool {
    error.is_timeout() || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

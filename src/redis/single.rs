//! The connection to a single server, and to the server that replaces it.
//!
//! A connection that breaks is opened again by the next call. Two kinds are useless without breaking. If its server has
//! vanished, a connection is silent for a quarter of an hour. If its server has become a replica, every write is refused.
//! The address may lead to another server by now, so both kinds are left, and the next call connects again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation, ServerErrorKind,
};

/// Commands that may wait for the connection.
pub(super) const PIPELINE: usize = 1_024;

/// The server at one address.
pub(super) struct Single {
    client: Client,
    config: ConnectionManagerConfig,
    current: Mutex<Current>,
}

/// The connection in use.
#[derive(Clone)]
struct Current {
    manager: ConnectionManager,
    /// How many connections were left before it.
    generation: u64,
}

impl Single {
    /// Calls fail at once while Redis is away. Redis need not be running yet. Needs a runtime.
    pub fn new(address: ConnectionInfo, timeout: Duration) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_pipeline_buffer_size(PIPELINE);
        let client = Client::open(address)?;
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { client, config, current: Mutex::new(Current { manager, generation: 0 }) })
    }

    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'static>) -> RedisResult<T> {
        let Current { mut manager, generation } = self.current().clone();
        let mut call = Call { server: self, generation, failed: true };
        let answer = script.invoke_async(&mut manager).await;
        call.failed = answer.as_ref().is_err_and(is_useless);
        answer
    }

    /// Replaces the connection. Of several calls that failed on it, only the first does.
    fn leave(&self, generation: u64) {
        let mut current = self.current();
        if current.generation != generation {
            return;
        }
        if let Ok(manager) = ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone()) {
            tracing::debug!("Redis is silent, or a replica: the next call connects again");
            *current = Current { manager, generation: generation + 1 };
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight. A call that is dropped before its answer counts as failed.
struct Call<'s> {
    server: &'s Single,
    generation: u64,
    failed: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.failed {
            self.server.leave(self.generation);
        }
    }
}

/// Whether the next call on this connection will fail too, although the connection is not broken.
fn is_useless(error: &RedisError) -> bool {
    error.is_timeout() || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

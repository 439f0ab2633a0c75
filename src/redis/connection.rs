//! The handle that callers use, for one server or a Redis Cluster.
//!
//! All calls run on the runtime that the handle was created on. The tasks of a connection live where it was opened, and must
//! not share a thread with an actor.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use redis::aio::PubSubStream;
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation, ServerErrorKind,
};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::Error;
use super::addresses::{Addresses, BadAddress};
use super::single::Single;

/// The mistake when a single server answers that another one has the key.
const ONE_OF_SEVERAL: &str =
    "redis_url names one address, but it is of a Redis Cluster: name several, or the same twice";

/// The messages of a channel.
pub type Messages = PubSubStream;

/// A cheap handle to Redis.
#[derive(Clone)]
pub struct Connection {
    server: Arc<Server>,
    /// One for each address.
    clients: Arc<[Client]>,
    timeout: Duration,
    runtime: Handle,
}

enum Server {
    Single(Box<Single>),
    Cluster(Box<ClusterClient>, OnceCell<ClusterConnection>),
}

impl Connection {
    /// A handle whose calls take no longer than `timeout`. Redis need not be running yet. Needs a runtime.
    pub fn new(addresses: &Addresses, timeout: Duration) -> Result<Self, BadAddress> {
        // Only the first call installs a provider; every caller installs the same one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let server = match addresses.0.as_slice() {
            [address] => Server::Single(Box::new(Single::new(address.clone(), timeout)?)),
            several => Server::Cluster(Box::new(cluster(several, timeout)?), OnceCell::new()),
        };
        let clients = addresses.0.iter().cloned().map(Client::open).collect::<RedisResult<_>>()?;
        Ok(Self { server: Arc::new(server), clients, timeout, runtime: Handle::current() })
    }

    /// Runs a script.
    pub async fn run<T>(&self, script: ScriptInvocation<'static>) -> Result<T, Error>
    where
        T: FromRedisValue + Send + 'static,
    {
        let server = self.server.clone();
        let call = async move {
            match &*server {
                Server::Single(single) => single.run(&script).await,
                Server::Cluster(client, connection) => {
                    let connect = || client.get_async_connection_with_config(ClusterConfig::new());
                    let connection = connection.get_or_try_init(connect).await?;
                    script.invoke_async(&mut connection.clone()).await
                }
            }
        };
        self.in_time(call).await
    }

    /// The messages of a channel from now on, until the connection breaks. Opens a connection to the first address that
    /// answers: in a Redis Cluster every server receives every message.
    pub async fn subscribe(&self, channel: &'static str) -> Result<Messages, Error> {
        let mut last = Error::from(anyhow!("there is no address"));
        for client in &*self.clients {
            let client = client.clone();
            let call = async move {
                let mut subscription = client.get_async_pubsub().await?;
                subscription.subscribe(channel).await?;
                Ok(subscription.into_on_message())
            };
            match self.in_time(call).await {
                Ok(messages) => return Ok(messages),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn in_time<T: Send + 'static>(
        &self,
        call: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Result<T, Error> {
        let answer = self.runtime.spawn(tokio::time::timeout(self.timeout, call)).await;
        match answer {
            Ok(Ok(answer)) => answer.map_err(|error| self.explain(error)),
            Ok(Err(_)) => Err(anyhow!("redis took longer than {:?}", self.timeout).into()),
            Err(_) => Err(anyhow!("the runtime has ended").into()),
        }
    }

    /// Adds the mistake to an error that shows one. In a configured cluster, keys may move between servers.
    fn explain(&self, error: RedisError) -> Error {
        let elsewhere = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        let mistaken = elsewhere && matches!(*self.server, Server::Single(_));
        let error = anyhow::Error::new(error);
        Error::from(if mistaken { error.context(ONE_OF_SEVERAL) } else { error })
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// The operating system drops a connection whose server has vanished after `timeout`; by default after a quarter of an hour.
fn cluster(addresses: &[ConnectionInfo], timeout: Duration) -> RedisResult<ClusterClient> {
    let settings = TcpSettings::default();
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(timeout);
    ClusterClient::builder(addresses.iter().cloned())
        .tcp_settings(settings)
        .retries(1)
        .connection_timeout(timeout)
        .response_timeout(timeout)
        .build()
}

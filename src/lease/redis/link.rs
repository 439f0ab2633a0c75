//! The connection: where Redis is, and how long it may take to answer.
//!
//! Every call has a short time-out, and a connection that breaks is made anew by the next call: nothing here waits for
//! Redis to come back. Calls run on the runtime that the link was made on, whoever asks: the tasks of a connection live
//! where it was opened, and must not share a thread with an actor.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use redis::aio::PubSubStream;
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, ScriptInvocation,
    ServerErrorKind,
};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::one::One;
use crate::lease::Unavailable;

/// What is wrong where one server says that others have a part of what is asked for.
const ONE_OF_SEVERAL: &str =
    "redis_url names one address, but it is of a Redis Cluster: name several, or the same twice";

/// Where Redis is: one address, or several of a Redis Cluster. They can hold a password and are never shown.
#[derive(Clone)]
pub struct Addresses(Vec<ConnectionInfo>);

impl FromStr for Addresses {
    type Err = ();

    /// Reads `redis://`, `rediss://` or `redis+unix://` addresses, separated by commas.
    fn from_str(text: &str) -> Result<Self, ()> {
        let parsed = text.split(',').map(|address| address.trim().into_connection_info().map_err(drop));
        parsed.collect::<Result<Vec<_>, ()>>().map(Self)
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addresses({} of them)", self.0.len())
    }
}

/// Addresses that can be read but not used, such as those of a Redis Cluster with different passwords.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BadAddress(#[from] redis::RedisError);

/// What is published on a channel.
pub type Heard = PubSubStream;

/// A cheap handle to Redis.
#[derive(Clone)]
pub struct Link {
    server: Arc<Server>,
    /// Of each address.
    clients: Arc<[Client]>,
    patience: Duration,
    runtime: Handle,
}

enum Server {
    One(Box<One>),
    Cluster(Box<ClusterClient>, OnceCell<ClusterConnection>),
}

impl Link {
    /// A link whose calls take no longer than `patience`. Redis need not be there yet. Needs a runtime.
    pub fn new(addresses: &Addresses, patience: Duration) -> Result<Self, BadAddress> {
        // The first provider stays; whoever was faster chose the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let server = match addresses.0.as_slice() {
            [address] => Server::One(Box::new(One::new(address.clone(), patience)?)),
            several => Server::Cluster(Box::new(cluster(several, patience)?), OnceCell::new()),
        };
        let clients = addresses.0.iter().cloned().map(Client::open).collect::<RedisResult<_>>()?;
        Ok(Self { server: Arc::new(server), clients, patience, runtime: Handle::current() })
    }

    /// Runs a script.
    pub async fn run<T>(&self, script: ScriptInvocation<'static>) -> Result<T, Unavailable>
    where
        T: FromRedisValue + Send + 'static,
    {
        let server = self.server.clone();
        let call = async move {
            match &*server {
                Server::One(one) => one.run(&script).await,
                Server::Cluster(client, connection) => {
                    let connect = || client.get_async_connection_with_config(ClusterConfig::new());
                    let connection = connection.get_or_try_init(connect).await?;
                    script.invoke_async(&mut connection.clone()).await
                }
            }
        };
        self.in_time(call).await
    }

    /// Everything that is published on a channel from now on, until the connection breaks: on a connection of its own,
    /// to the first address that answers. A Redis Cluster tells all of its nodes.
    pub async fn subscribe(&self, channel: &'static str) -> Result<Heard, Unavailable> {
        let mut last = Unavailable::Unanswered(anyhow!("there is no address"));
        for client in &*self.clients {
            let client = client.clone();
            let call = async move {
                let mut subscription = client.get_async_pubsub().await?;
                subscription.subscribe(channel).await?;
                Ok(subscription.into_on_message())
            };
            match self.in_time(call).await {
                Ok(heard) => return Ok(heard),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn in_time<T: Send + 'static>(
        &self,
        call: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let answer = self.runtime.spawn(tokio::time::timeout(self.patience, call)).await;
        match answer {
            Ok(Ok(answer)) => answer.map_err(|error| self.unavailable(error)),
            Ok(Err(_)) => Err(Unavailable::Unanswered(anyhow!("redis took longer than {:?}", self.patience))),
            Err(_) => Err(Unavailable::Unanswered(anyhow!("the runtime has ended"))),
        }
    }

    /// Keys also move between servers that are all known: that is nobody's mistake.
    fn unavailable(&self, error: RedisError) -> Unavailable {
        let elsewhere = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        let mistaken = elsewhere && matches!(*self.server, Server::One(_));
        let error = anyhow::Error::new(error);
        Unavailable::Unanswered(if mistaken { error.context(ONE_OF_SEVERAL) } else { error })
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// A server that has vanished without a word is given up by the system, else only after a quarter of an hour.
fn cluster(addresses: &[ConnectionInfo], patience: Duration) -> RedisResult<ClusterClient> {
    let settings = TcpSettings::default();
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(patience);
    ClusterClient::builder(addresses.iter().cloned())
        .tcp_settings(settings)
        .retries(1)
        .connection_timeout(patience)
        .response_timeout(patience)
        .build()
}

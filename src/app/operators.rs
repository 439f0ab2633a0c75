//! The listener of operators: health and metrics, on a separate thread that answers while the others are busy. It exists
//! only if `ops_listen` is set.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;

use super::{Error, limits};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::{self, Audience, Connections, Limits};
use crate::tasks::Tasks;

/// Connections of operators at the same time.
const CONNECTIONS: usize = 256;
/// Bytes of unread metrics.
const BUFFERED: u64 = 16 * 1024 * 1024;

/// A listener and its server.
pub(super) struct Operators {
    pub address: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
}

impl Operators {
    pub fn serve(
        listener: TcpListener,
        config: &Config,
        dependencies: http::Dependencies,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(Error::Http)?;
        let limits = Limits { connections: CONNECTIONS, buffered: BUFFERED, ..limits(config) };
        let connections = Connections::new("ops", limits, clock);
        let application = http::configure(dependencies, Audience::Operators);
        let server = http::server(listener, 1, connections.clone(), application).map_err(Error::Http)?;
        connections.supervise("ops_connections", tasks);
        Ok(Self { address, handle: server.handle(), serving: tokio::spawn(server) })
    }

    /// Waits until the server ends. Without a server, waits forever.
    pub async fn ended(operators: &mut Option<Self>) -> Result<io::Result<()>, tokio::task::JoinError> {
        match operators {
            Some(operators) => (&mut operators.serving).await,
            None => pending().await,
        }
    }

    /// Stops at once: a probe that gets no answer is repeated.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        self.serving.abort();
    }
}

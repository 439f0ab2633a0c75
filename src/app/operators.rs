//! The listener of operators: health and metrics, answered by a thread that does nothing else, however busy the others
//! are. Only there if `ops_listen` is set.

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

/// Operators and their programs, at the same time.
const CONNECTIONS: usize = 256;
/// Bytes of metrics that they have not read.
const BUFFERED: u64 = 16 * 1024 * 1024;

/// A listener that is served.
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

    /// Waits until it ends by itself, if there is one.
    pub async fn ended(operators: &mut Option<Self>) -> Result<io::Result<()>, tokio::task::JoinError> {
        match operators {
            Some(operators) => (&mut operators.serving).await,
            None => pending().await,
        }
    }

    /// Stops at once: whoever asks how the process is may ask again.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        self.serving.abort();
    }
}

//! Actix's HTTP server on our own I/O type: the same parts as `actix_web::HttpServer`, which takes no other.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server};
use actix_web::web::ServiceConfig;
use tokio::net::TcpStream;

use super::open::Connections;
use super::service::watched;
use super::stream::Connection;

/// How long a connection may take to close after its last answer.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer that actix encodes before it writes.
const WRITE_BUFFER: usize = 16 * 1024;

/// A server for one listener. How many connections it takes is decided by `connections`, for all of its threads
/// together; actix accepts all of them.
pub fn server<C>(
    listener: TcpListener,
    threads: usize,
    connections: Arc<Connections>,
    configure: C,
) -> io::Result<Server>
where
    C: FnOnce(&mut ServiceConfig) + Clone + Send + 'static,
{
    let address = listener.local_addr()?;
    let limits = connections.limits();
    let builder = Server::build()
        .workers(threads)
        .max_concurrent_connections(usize::MAX)
        .shutdown_timeout(limits.grace.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen(format!("http {address}"), listener, move || {
        let stopping = stopping.clone();
        let application = App::new().configure(configure.clone()).into_factory();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(connections.limits().keep_alive)
            // Ours guards every head, actix's only the first.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_WITHIN)
            // A client that hangs up has given up: what it asked for is dropped, unless it is decided already.
            .h1_allow_half_closed(false)
            .h1_write_buffer_size(WRITE_BUFFER)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, data| connection.introduce(data))
            .finish(watched(map_config(application.map_err(|error: actix_web::Error| error.error_response()), |()| {
                AppConfig::default()
            })));
        let connections = connections.clone();
        let admit = fn_service(move |stream: TcpStream| {
            let connections = connections.clone();
            async move {
                let peer = stream.peer_addr().ok();
                match connections.admit(stream) {
                    Ok(connection) => Ok((connection, Protocol::Http1, peer)),
                    Err(stream) => Err(DispatchError::Io(connections.refuse(stream).await)),
                }
            }
        });
        admit.and_then(http)
    })?;
    Ok(builder.run())
}

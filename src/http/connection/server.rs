//! actix's HTTP server over the I/O type [`Connection`]. `actix_web::HttpServer` allows no other I/O type, so this
//! module puts together the same parts.

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
use super::service::recorded;
use super::stream::Connection;

/// How long a client may take to close the connection after its last answer.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer that actix encodes before it writes.
const WRITE_BUFFER: usize = 16 * 1024;

/// A server for one listener. actix accepts every connection, and `connections` enforces the limit for all threads
/// together.
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
            // The rules limit every head. actix would limit only the first one.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_WITHIN)
            // When a client closes its connection, its request is dropped, unless it is decided already.
            .h1_allow_half_closed(false)
            .h1_write_buffer_size(WRITE_BUFFER)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, data| connection.attach(data))
            .finish(recorded(map_config(
                application.map_err(|error: actix_web::Error| error.error_response()),
                |()| AppConfig::default(),
            )));
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

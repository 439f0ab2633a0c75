//! The listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::Error;
use crate::config::Config;

/// Connections that may wait to be accepted. A shorter queue would reset connections in a rush.
const BACKLOG: i32 = 1_024;
/// Bytes that the operating system buffers for a client that does not read. Linux doubles the number.
const SEND_BUFFER: usize = 128 * 1024;
/// How many of these bytes may be unsent. A client with a closed window leaves no more in the buffer.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;
/// How long a client may read nothing before the operating system drops the connection.
#[cfg(target_os = "linux")]
const UNREAD_WITHIN: Duration = Duration::from_secs(60);

/// The sockets of the API and of operators.
pub struct Listeners {
    pub(super) everybody: TcpListener,
    pub(super) operators: Option<TcpListener>,
}

impl Listeners {
    /// Binds the configured addresses, before the store is opened.
    pub fn bind(config: &Config) -> Result<Self, Error> {
        Self::with(bind(config.listen)?, config)
    }

    /// Like `bind`, with a socket of the API that is bound already.
    pub fn with(everybody: TcpListener, config: &Config) -> Result<Self, Error> {
        Ok(Self { everybody, operators: config.ops_listen.map(bind).transpose()? })
    }

    /// The address of the API.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.everybody.local_addr().map_err(Error::Http)
    }
}

/// Binds an address.
pub fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        limit_what_is_unread(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { address },
        _ => Error::Listen { address, source },
    })
}

/// Every connection inherits these options. A client that reads slowly, or has vanished, costs a bounded buffer for a
/// bounded time. Without the first option, Linux lets the buffer of one connection grow to megabytes.
fn limit_what_is_unread(socket: &Socket) -> io::Result<()> {
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // Sends the last part of an answer at once.
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(UNREAD_WITHIN))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    Ok(())
}

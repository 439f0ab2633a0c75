//! The sockets that everybody connects to.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::Error;
use crate::config::Config;

/// Connections that may wait to be accepted: a rush of clients is not answered with resets.
const BACKLOG: i32 = 1_024;
/// Bytes that the system keeps for a client that does not read them yet; Linux doubles it for its own accounts.
const SEND_BUFFER: usize = 128 * 1024;
/// Of these, bytes that have not left yet. A client with a closed window leaves no more than these to the system.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;
/// How long a client may leave everything unread before the system gives the connection up.
#[cfg(target_os = "linux")]
const UNREAD_WITHIN: Duration = Duration::from_secs(60);

/// The sockets that everybody, and that operators, connect to.
pub struct Listeners {
    pub(super) everybody: TcpListener,
    pub(super) operators: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of the configuration, before the store is opened or anything is changed.
    pub fn bind(config: &Config) -> Result<Self, Error> {
        Self::with(bind(config.listen)?, config)
    }

    /// The same with a socket for everybody that is bound already.
    pub fn with(everybody: TcpListener, config: &Config) -> Result<Self, Error> {
        Ok(Self { everybody, operators: config.ops_listen.map(bind).transpose()? })
    }

    /// Where everybody connects to.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.everybody.local_addr().map_err(Error::Http)
    }
}

/// Binds the address, so that a port in use is known before anything else happens.
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

/// Every connection inherits these: a client that reads slowly, or has vanished, costs a bounded buffer for a bounded
/// time. Without the first, Linux lets the buffer of one connection grow to megabytes.
fn limit_what_is_unread(socket: &Socket) -> io::Result<()> {
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // An answer leaves at once, also its last part.
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(UNREAD_WITHIN))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    Ok(())
}

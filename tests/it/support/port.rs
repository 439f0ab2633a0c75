//! A port of this machine that no other program gets.
//!
//! A socket is bound to it and never listens. The system gives such a port to no program that asks for a free port. A
//! program that names the port with SO_REUSEADDR, as servers do, gets it. Until then, connections are refused.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

/// A reserved port, until it is dropped.
pub struct Port(Socket);

impl Port {
    pub fn keep() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Self(socket)
    }

    pub fn number(&self) -> u16 {
        self.0.local_addr().unwrap().as_socket().unwrap().port()
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number())
    }
}

//! A client that writes arbitrary bytes, like an attacker.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::eventually::PATIENCE;

/// A complete small request.
pub const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// One connection, and the received bytes that are not parsed yet.
pub struct Raw {
    pub stream: TcpStream,
    received: Vec<u8>,
}

/// An answer as its bytes say.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Told {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Checks for a problem document with this code, and for the headers of every answer.
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{self:?}");
        for line in ["content-type: application/problem+json", "x-content-type-options: nosniff", "cache-control: "] {
            assert!(self.head.contains(line), "{line}: {}", self.head);
        }
    }
}

impl Raw {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { stream, received: Vec::new() }
    }

    /// With a small receive buffer, so that unread bytes stay at the server.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2_048).unwrap();
        Self { stream: socket.connect(address).await.unwrap(), received: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends if the connection is still open.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// The next answer, which has a Content-Length; `None` if the connection ends before.
    pub async fn answer(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.whole() {
                return Some(told);
            }
            let mut part = [0; 8_192];
            let reading = timeout(PATIENCE, self.stream.read(&mut part)).await.expect("nothing is heard");
            match reading {
                Ok(count) if count > 0 => self.received.extend_from_slice(&part[..count]),
                _ => return None,
            }
        }
    }

    fn whole(&mut self) -> Option<Told> {
        let end = self.received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&self.received[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let length: usize = length.unwrap_or(0);
        if self.received.len() < end + length {
            return None;
        }
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = self.received[end..end + length].to_vec();
        self.received.drain(..end + length);
        Some(Told { status, head, body })
    }

    /// Reads until the server closes the connection. Returns the last answer.
    pub async fn last(&mut self) -> Option<Told> {
        let mut last = None;
        while let Some(told) = self.answer().await {
            last = Some(told);
        }
        last
    }

    /// Sends the same bytes again and again until the server closes the connection. Returns the last answer.
    pub async fn drip(&mut self, bytes: &[u8]) -> Option<Told> {
        let mut last = None;
        let dripping = async {
            loop {
                let mut part = [0; 8_192];
                match timeout(Duration::from_millis(100), self.stream.read(&mut part)).await {
                    Ok(Ok(count)) if count > 0 => self.received.extend_from_slice(&part[..count]),
                    Ok(_) => return,
                    Err(_) => {
                        self.stream.write_all(bytes).await.ok();
                    }
                }
            }
        };
        timeout(PATIENCE, dripping).await.expect("the server never closes it");
        while let Some(told) = self.whole() {
            last = Some(told);
        }
        last
    }
}

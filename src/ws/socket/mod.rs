//! The WebSocket protocol (RFC 6455) on an upgraded HTTP connection.
//!
//! Owns the opening handshake ([`handshake`]), the frames of a client ([`decoder`]), the frames for a client
//! ([`encoder`]) and the queue in front of the connection ([`outbox`]). Called by `ws/handler.rs` and `ws/session.rs`.
//! It knows nothing of JSON. Extensions are not offered, so no frame is compressed.
//!
//! Headers are tungstenite's. Its `WebSocketStream` is not used: it hides fragments from the limit of frames per
//! second, and it copies every outgoing frame once per client.
//!
//! Limits: a message's length is checked at each frame header, before its payload is kept; fragments of a message are
//! counted; payloads are copied, so a small one never keeps a large read buffer alive; unsent frames are bounded in
//! bytes. A connection that breaks the protocol is told why ([`decoder::Broken`]) and closed.

pub mod decoder;
pub mod encoder;
pub mod handshake;
pub mod outbox;

use actix_web::web::Payload;
use bytes::Bytes;
use futures_util::StreamExt;

use decoder::{Broken, Decoder, Heard};

/// What a client sends.
pub struct Inbox {
    payload: Payload,
    /// What was read last and is not decoded yet.
    chunk: Bytes,
    decoder: Decoder,
}

impl Inbox {
    pub fn new(payload: Payload, message_bytes: usize) -> Self {
        Self { payload, chunk: Bytes::new(), decoder: Decoder::new(message_bytes) }
    }

    /// The next frame; `None` when the connection has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Heard, Broken>> {
        loop {
            if let Some(heard) = self.decoder.read(&mut self.chunk).transpose() {
                return Some(heard);
            }
            self.chunk = self.payload.next().await?.ok()?;
        }
    }
}

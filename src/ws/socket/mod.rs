//! The WebSocket protocol (RFC 6455) on an upgraded HTTP connection.
//!
//! Owns the opening handshake ([`handshake`]), the decoder of client frames ([`decoder`]), the encoder of server frames
//! ([`encoder`]) and the queue of outgoing frames ([`outbox`]). Called by `ws/handler.rs` and `ws/session.rs`. It does
//! not know the JSON of the frames. It offers no extensions, so no frame is compressed.
//!
//! tungstenite parses and formats the frame headers. Its `WebSocketStream` is not used: it hides fragments from the
//! limit of frames per second, and it copies every outgoing frame for each client.
//!
//! Limits: the length of a message is checked at each frame header, before the payload is kept. The fragments of a
//! message are counted. Payloads are copied, so a small payload never keeps a large read buffer in memory. Unsent
//! frames are bounded in bytes. A frame that breaks the protocol closes the connection with a reason
//! ([`decoder::DecodeError`]).

pub mod decoder;
pub mod encoder;
pub mod handshake;
pub mod outbox;

use actix_web::web::Payload;
use bytes::Bytes;
use futures_util::StreamExt;

use decoder::{DecodeError, Decoder, Received};

/// The frames of a client.
pub struct Inbox {
    payload: Payload,
    /// Bytes that were read but not decoded.
    chunk: Bytes,
    decoder: Decoder,
}

impl Inbox {
    pub fn new(payload: Payload, message_bytes: usize) -> Self {
        Self { payload, chunk: Bytes::new(), decoder: Decoder::new(message_bytes) }
    }

    /// The next frame. `None` when the connection is closed. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Received, DecodeError>> {
        loop {
            if let Some(received) = self.decoder.read(&mut self.chunk).transpose() {
                return Some(received);
            }
            self.chunk = self.payload.next().await?.ok()?;
        }
    }
}

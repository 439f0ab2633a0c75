//! Encodes server frames: unmasked and never fragmented. Clones of a frame share their bytes.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

pub fn text(text: &str) -> Bytes {
    frame(OpCode::Data(Data::Text), text.as_bytes())
}

pub fn ping() -> Bytes {
    frame(OpCode::Control(Control::Ping), &[])
}

/// The answer to a ping, with its payload.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), payload)
}

pub fn close(reason: &CloseFrame) -> Bytes {
    let mut payload = u16::from(reason.code).to_be_bytes().to_vec();
    payload.extend_from_slice(reason.reason.as_bytes());
    frame(OpCode::Control(Control::Close), &payload)
}

fn frame(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    let length = payload.len() as u64;
    let mut bytes = Vec::with_capacity(header.len(length) + payload.len());
    // Writing to memory cannot fail.
    let _ = header.format(length, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes.into()
}

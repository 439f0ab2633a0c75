//! Properties for any input: the decoder never panics, its memory is bounded, and tungstenite reads the same messages.

use std::io::{self, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocket, WebSocketConfig};

use super::*;

const LIMIT: usize = 200;

/// Decodes pieces in order, up to the first error.
fn decode(pieces: &[Vec<u8>]) -> (Vec<Received>, Option<DecodeError>) {
    let (mut decoder, mut received) = (Decoder::new(LIMIT), Vec::new());
    for piece in pieces {
        let mut input = Bytes::from(piece.clone());
        loop {
            let read = decoder.read(&mut input);
            assert!(decoder.message.capacity() <= 2 * LIMIT && decoder.control.capacity() <= 256);
            assert!(decoder.head.capacity() <= 16);
            match read {
                Ok(Some(one)) => received.push(one),
                Ok(None) => break,
                Err(error) => return (received, Some(error)),
            }
        }
    }
    (received, None)
}

/// A frame that is usually valid and sometimes invalid.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![4 => Just(1_u8), 6 => Just(0), 2 => Just(9), 2 => Just(10), 1 => Just(8), 1 => 0..16_u8];
    let payload = prop_oneof![8 => "[ -~]{0,40}", 1 => "[ -~]{100,180}"];
    (opcode, prop::bool::weighted(0.5), 0..20_u8, prop::bool::weighted(0.98), any::<[u8; 4]>(), payload)
        .prop_filter("the decoder refuses binary messages, tungstenite reads them", |(opcode, ..)| *opcode != 2)
        .prop_map(|(opcode, is_final, reserved, masked, mask, payload)| {
            let is_close = opcode == 8;
            let mut payload = payload.into_bytes();
            if is_close && !payload.is_empty() {
                payload.splice(0..0, 1000_u16.to_be_bytes());
            }
            let header = FrameHeader {
                is_final: is_final || opcode > 7,
                rsv2: reserved == 1,
                opcode: OpCode::Data(Data::Text),
                mask: masked.then_some(mask),
                ..FrameHeader::default()
            };
            let mut frame = Vec::new();
            header.format(payload.len() as u64, &mut frame).unwrap();
            frame[0] = (frame[0] & 0xF0) | opcode;
            let mask = if masked { mask } else { [0; 4] };
            frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            frame
        })
}

/// A socket that returns these bytes and discards what is written.
struct Input<'a>(&'a [u8]);

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Input<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The messages that tungstenite reads, up to the first error or the close frame.
fn reference(bytes: &[u8]) -> Vec<Received> {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut socket = WebSocket::from_raw_socket(Input(bytes), Role::Server, Some(config));
    let mut received = Vec::new();
    while let Ok(message) = socket.read() {
        received.push(match message {
            Message::Text(text) => Received::Text(text.to_string()),
            Message::Ping(payload) => Received::Ping(payload),
            Message::Pong(_) => Received::Pong,
            Message::Close(reason) => {
                received.push(Received::Close(reason));
                return received;
            }
            Message::Binary(_) | Message::Frame(_) => panic!("not generated"),
        });
    }
    received
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_decoded_the_same_in_any_division(pieces in vec(vec(any::<u8>(), 0..60), 0..8)) {
        let whole = decode(&[pieces.concat()]);
        prop_assert_eq!(decode(&pieces), whole);
    }

    #[test]
    fn frames_are_decoded_the_same_in_any_division(frames in vec(frame(), 1..12), size in 1..50_usize) {
        let bytes = frames.concat();
        let pieces: Vec<Vec<u8>> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        prop_assert_eq!(decode(&pieces), decode(&[bytes]));
    }

    #[test]
    fn another_implementation_reads_the_same_messages(frames in vec(frame(), 1..12)) {
        let bytes = frames.concat();
        let mut received = decode(std::slice::from_ref(&bytes)).0;
        received.retain(|one| *one != Received::Fragment);
        if let Some(end) = received.iter().position(|one| matches!(one, Received::Close(_))) {
            received.truncate(end + 1);
        }
        prop_assert_eq!(received, reference(&bytes));
    }
}

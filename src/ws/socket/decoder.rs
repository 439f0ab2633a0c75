//! An incremental decoder of client frames (RFC 6455, section 5). It has no I/O and no clock.

#[cfg(test)]
mod properties;

use std::io::Cursor;

use bytes::{Buf, Bytes};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, Utf8Bytes};

/// The most fragments of one message.
pub const FRAGMENTS: usize = 64;
/// The longest payload of a control frame.
const CONTROL_BYTES: u64 = 125;

/// A decoded frame. Every frame is returned, so that the session can count it.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A complete message: this frame was its last fragment.
    Text(String),
    /// A fragment that is not the last one.
    Fragment,
    Ping(Bytes),
    Pong,
    Close(Option<CloseFrame>),
}

/// Why the frames of a connection cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    TooLarge,
    TooManyFragments,
    NotUtf8,
    Binary,
    Protocol,
}

/// The decoder of one connection. It keeps at most one message, one control frame and one header.
#[derive(Debug)]
pub struct Decoder {
    /// The largest message, in bytes.
    limit: usize,
    head: Vec<u8>,
    frame: Option<Frame>,
    /// The fragments of the present message, and their number.
    message: Vec<u8>,
    fragments: usize,
    control: Vec<u8>,
}

/// A frame whose payload is being read.
#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    read: usize,
    length: usize,
}

impl Decoder {
    pub fn new(limit: usize) -> Self {
        Self { limit, head: Vec::new(), frame: None, message: Vec::new(), fragments: 0, control: Vec::new() }
    }

    /// Consumes `input` up to the end of a frame. `None` if the frame is incomplete. After an error the decoder must
    /// not be used again.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<Received>, DecodeError> {
        if self.frame.is_none() {
            self.frame = self.read_head(input)?;
        }
        let Some(mut frame) = self.frame.take() else { return Ok(None) };
        let kept = match frame.opcode {
            OpCode::Data(_) => &mut self.message,
            OpCode::Control(_) => &mut self.control,
        };
        frame.read_into(kept, input);
        if frame.read < frame.length {
            self.frame = Some(frame);
            return Ok(None);
        }
        self.finish(&frame).map(Some)
    }

    fn read_head(&mut self, input: &mut Bytes) -> Result<Option<Frame>, DecodeError> {
        while input.has_remaining() {
            self.head.push(input.get_u8());
            let head = FrameHeader::parse(&mut Cursor::new(&self.head)).map_err(|_| DecodeError::Protocol)?;
            if let Some((header, length)) = head {
                self.head.clear();
                return self.begin(&header, length).map(Some);
            }
        }
        Ok(None)
    }

    /// Checks the header of a frame.
    fn begin(&mut self, header: &FrameHeader, length: u64) -> Result<Frame, DecodeError> {
        let FrameHeader { is_final, opcode, .. } = *header;
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let Some(mask) = header.mask.filter(|_| !reserved) else { return Err(DecodeError::Protocol) };
        let length = match opcode {
            OpCode::Data(kind) => self.begin_data(kind, length)?,
            OpCode::Control(_) if is_final && length <= CONTROL_BYTES => length,
            OpCode::Control(_) => return Err(DecodeError::Protocol),
        };
        let length = usize::try_from(length).map_err(|_| DecodeError::TooLarge)?;
        Ok(Frame { opcode, is_final, mask, read: 0, length })
    }

    fn begin_data(&mut self, kind: Data, length: u64) -> Result<u64, DecodeError> {
        let goes_on = self.fragments > 0;
        if goes_on != (kind == Data::Continue) {
            return Err(DecodeError::Protocol);
        }
        if length > self.limit.saturating_sub(self.message.len()) as u64 {
            return Err(DecodeError::TooLarge);
        }
        if kind == Data::Binary {
            return Err(DecodeError::Binary);
        }
        self.fragments += 1;
        if self.fragments > FRAGMENTS {
            return Err(DecodeError::TooManyFragments);
        }
        Ok(length)
    }

    fn finish(&mut self, frame: &Frame) -> Result<Received, DecodeError> {
        match frame.opcode {
            OpCode::Data(_) if !frame.is_final => Ok(Received::Fragment),
            OpCode::Data(_) => {
                self.fragments = 0;
                let message = String::from_utf8(std::mem::take(&mut self.message));
                message.map(Received::Text).map_err(|_| DecodeError::NotUtf8)
            }
            OpCode::Control(kind) => control(kind, std::mem::take(&mut self.control)),
        }
    }
}

impl Frame {
    /// Unmasks the available part of the payload.
    fn read_into(&mut self, kept: &mut Vec<u8>, input: &mut Bytes) {
        let part = input.split_to(input.len().min(self.length - self.read));
        let mask = self.mask.iter().cycle().skip(self.read % self.mask.len());
        kept.extend(part.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        self.read += part.len();
    }
}

fn control(kind: Control, payload: Vec<u8>) -> Result<Received, DecodeError> {
    match kind {
        Control::Ping => Ok(Received::Ping(payload.into())),
        Control::Pong => Ok(Received::Pong),
        Control::Close => close(&payload).map(Received::Close),
        Control::Reserved(_) => Err(DecodeError::Protocol),
    }
}

fn close(payload: &[u8]) -> Result<Option<CloseFrame>, DecodeError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(DecodeError::Protocol) };
    };
    let code = CloseCode::from(u16::from_be_bytes(*code));
    if !code.is_allowed() {
        return Err(DecodeError::Protocol);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| DecodeError::NotUtf8)?;
    Ok(Some(CloseFrame { code, reason: Utf8Bytes::from(reason) }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIMIT: usize = 1_000;

    /// A masked frame whose header has this length, with this payload.
    fn announced(first: u8, length: u64, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader { mask: Some([1, 2, 3, 4]), ..FrameHeader::default() };
        let mut frame = Vec::new();
        header.format(length, &mut frame).unwrap();
        frame[0] = first;
        frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        announced(first, payload.len() as u64, payload)
    }

    /// All received frames, and the error if there is one.
    fn decode(decoder: &mut Decoder, bytes: Vec<u8>) -> (Vec<Received>, Option<DecodeError>) {
        let (mut input, mut received) = (Bytes::from(bytes), Vec::new());
        loop {
            match decoder.read(&mut input) {
                Ok(Some(one)) => received.push(one),
                Ok(None) => return (received, None),
                Err(error) => return (received, Some(error)),
            }
        }
    }

    #[test]
    fn fragments_make_one_message_and_control_frames_may_come_between() {
        let bytes =
            [frame(0x01, b"one "), frame(0x89, b"?"), frame(0x00, b""), frame(0x80, "zwölf".as_bytes())].concat();
        let expected = [
            Received::Fragment,
            Received::Ping(Bytes::from_static(b"?")),
            Received::Fragment,
            Received::Text("one zwölf".to_owned()),
        ];
        assert_eq!(decode(&mut Decoder::new(LIMIT), bytes), (expected.into(), None));
    }

    #[rstest]
    #[case::text(announced(0x81, u64::MAX >> 1, b""), DecodeError::TooLarge)]
    #[case::text_one_byte_too_long(announced(0x81, LIMIT as u64 + 1, b""), DecodeError::TooLarge)]
    #[case::binary(announced(0x82, u64::MAX >> 1, b""), DecodeError::TooLarge)]
    #[case::last_fragment([frame(0x01, &[b'x'; LIMIT]), announced(0x80, 1, b"")].concat(), DecodeError::TooLarge)]
    #[case::ping(announced(0x89, 126, b""), DecodeError::Protocol)]
    #[case::close(announced(0x88, 1 << 30, b""), DecodeError::Protocol)]
    fn a_frame_is_refused_by_the_length_in_its_header(#[case] bytes: Vec<u8>, #[case] why: DecodeError) {
        let mut decoder = Decoder::new(LIMIT);
        assert_eq!(decode(&mut decoder, bytes).1, Some(why));
        assert!(decoder.message.capacity() <= 2 * LIMIT);
    }

    #[rstest]
    #[case::unmasked(vec![0x81, 0x01, b'x'], DecodeError::Protocol)]
    #[case::reserved_bit(frame(0xC1, b"x"), DecodeError::Protocol)]
    #[case::reserved_opcode(frame(0x83, b"x"), DecodeError::Protocol)]
    #[case::fragmented_ping(frame(0x09, b"x"), DecodeError::Protocol)]
    #[case::continuation_of_nothing(frame(0x80, b"x"), DecodeError::Protocol)]
    #[case::message_in_a_message([frame(0x01, b"x"), frame(0x81, b"y")].concat(), DecodeError::Protocol)]
    #[case::binary(frame(0x82, b"x"), DecodeError::Binary)]
    #[case::text_not_utf8(frame(0x81, b"\xff"), DecodeError::NotUtf8)]
    #[case::half_a_character([frame(0x01, b"\xc3"), frame(0x80, b"")].concat(), DecodeError::NotUtf8)]
    #[case::close_with_half_a_code(frame(0x88, &[3]), DecodeError::Protocol)]
    #[case::close_with_a_code_nobody_may_send(frame(0x88, &1006_u16.to_be_bytes()), DecodeError::Protocol)]
    #[case::close_reason_not_utf8(frame(0x88, b"\x03\xe8\xff"), DecodeError::NotUtf8)]
    fn each_kind_of_invalid_frame_has_its_own_error(#[case] bytes: Vec<u8>, #[case] why: DecodeError) {
        assert_eq!(decode(&mut Decoder::new(LIMIT), bytes).1, Some(why));
    }

    #[test]
    fn a_character_may_be_divided_by_fragments() {
        let bytes = [frame(0x01, b"\xc3"), frame(0x80, b"\xb6")].concat();
        assert_eq!(decode(&mut Decoder::new(LIMIT), bytes).0[1], Received::Text("ö".to_owned()));
    }

    #[test]
    fn empty_fragments_count_towards_the_limit() {
        let mut decoder = Decoder::new(LIMIT);
        assert_eq!(decode(&mut decoder, frame(0x01, b"")).1, None);
        let (received, error) = decode(&mut decoder, frame(0x00, b"").repeat(FRAGMENTS));
        assert_eq!((received.len(), error), (FRAGMENTS - 1, Some(DecodeError::TooManyFragments)));
    }
}

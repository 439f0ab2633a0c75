//! Close frames, with the codes of RFC 6455, section 7.4.1.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::socket::decoder::DecodeError;

/// 1000: the client has closed the connection without a reason.
pub fn normal() -> CloseFrame {
    reason(CloseCode::Normal, "")
}

/// 1001: the server is shutting down.
pub fn going_away() -> CloseFrame {
    reason(CloseCode::Away, "the server is shutting down")
}

/// 1008: the client has broken a limit.
pub fn policy(why: &'static str) -> CloseFrame {
    reason(CloseCode::Policy, why)
}

/// 1013: the client read too slowly. It may reconnect and resume.
pub fn too_slow() -> CloseFrame {
    reason(CloseCode::Again, "the client reads too slowly: reconnect and resume")
}

/// The close frame for a frame that cannot be decoded.
pub fn decode_error(error: DecodeError) -> CloseFrame {
    match error {
        DecodeError::Protocol => reason(CloseCode::Protocol, "the frame breaks the WebSocket protocol"),
        DecodeError::Binary => reason(CloseCode::Unsupported, "only text frames are accepted"),
        DecodeError::NotUtf8 => reason(CloseCode::Invalid, "text must be UTF-8"),
        DecodeError::TooManyFragments => reason(CloseCode::Policy, "the message has too many fragments"),
        DecodeError::TooLarge => reason(CloseCode::Size, "the message is too large"),
    }
}

fn reason(code: CloseCode, why: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(why) }
}

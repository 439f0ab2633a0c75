//! How a connection ends, in the codes of RFC 6455, section 7.4.1.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::socket::decoder::Broken;

/// 1000: the client says goodbye.
pub fn goodbye() -> CloseFrame {
    reason(CloseCode::Normal, "")
}

/// 1001: the server is shutting down.
pub fn going_away() -> CloseFrame {
    reason(CloseCode::Away, "the server is shutting down")
}

/// 1008: the client breaks a rule of conduct.
pub fn policy(why: &'static str) -> CloseFrame {
    reason(CloseCode::Policy, why)
}

/// 1013: the client left what it was sent unread for too long; it may come back and resume.
pub fn too_slow() -> CloseFrame {
    reason(CloseCode::Again, "too slow; come back and resume")
}

/// The code for a frame that cannot be accepted.
pub fn broken(why: Broken) -> CloseFrame {
    match why {
        Broken::Protocol => reason(CloseCode::Protocol, "this is not the WebSocket protocol"),
        Broken::Binary => reason(CloseCode::Unsupported, "only text frames are understood"),
        Broken::NotUtf8 => reason(CloseCode::Invalid, "text must be UTF-8"),
        Broken::TooManyFragments => reason(CloseCode::Policy, "the message has too many fragments"),
        Broken::TooLarge => reason(CloseCode::Size, "the message is too large"),
    }
}

fn reason(code: CloseCode, why: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(why) }
}

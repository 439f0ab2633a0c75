//! How a connection ends, in the codes of RFC 6455, section 7.4.1.

use actix_ws::{CloseCode, CloseReason, ProtocolError};
use std::io::ErrorKind;

/// 1000: the client says goodbye.
pub fn goodbye() -> CloseReason {
    CloseCode::Normal.into()
}

/// 1001: the server is shutting down.
pub fn going_away() -> CloseReason {
    reason(CloseCode::Away, "the server is shutting down")
}

/// 1003: frames are text.
pub fn binary() -> CloseReason {
    reason(CloseCode::Unsupported, "only text frames are understood")
}

/// 1008: the client breaks a rule of conduct.
pub fn policy(why: &str) -> CloseReason {
    reason(CloseCode::Policy, why)
}

/// 1013: the client left what it was sent unread for too long; it may come back and resume.
pub fn too_slow() -> CloseReason {
    reason(CloseCode::Again, "too slow; come back and resume")
}

/// What a broken stream deserves: 1009 where a message is too large, 1007 where text is no UTF-8, else 1002.
pub fn protocol(error: &ProtocolError) -> CloseReason {
    match error {
        ProtocolError::Overflow => reason(CloseCode::Size, "the message is too large"),
        ProtocolError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            reason(CloseCode::Invalid, "text must be UTF-8")
        }
        // A message in too many pieces is told apart from a lost connection by nothing but its text; whoever is gone
        // does not read the reason.
        ProtocolError::Io(_) => reason(CloseCode::Size, "the message is too large"),
        _ => reason(CloseCode::Protocol, "this is not the WebSocket protocol"),
    }
}

fn reason(code: CloseCode, why: &str) -> CloseReason {
    CloseReason { code, description: Some(why.to_owned()) }
}

//! The names under which Redis keeps things.
//!
//! The part in braces is Redis Cluster's hash tag: keys that a script uses together lie in one slot.

use crate::domain::RoomTypeId;

/// Who owns a room type: a hash of name and token, with a TTL.
pub fn lease(room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:lease")
}

/// The highest token of a room type and who got it: a hash with a TTL of a week, which every use begins anew.
pub fn fence(room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:fence")
}

/// The nodes by the time until which each is known to live.
pub const NODES: &str = "innkeeper:{nodes}:until";
/// What each of them told of itself, sealed.
pub const ABOUT: &str = "innkeeper:{nodes}:about";

/// The channel on which nodes wake each other.
pub const BELL: &str = "innkeeper:bell";

//! The names under which Redis keeps things.
//!
//! The part in braces is Redis Cluster's hash tag: keys that a script uses together lie in one slot. What is said of a
//! room type is said of one database: a copy of it has room types with the same ids.

use crate::domain::RoomTypeId;

/// Who owns a room type of a database: a hash of name and token, with a TTL.
pub fn lease(database: &str, room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:{database}:lease")
}

/// The highest token of a room type and who got it: a hash with a TTL of a week, which every use begins anew.
pub fn fence(database: &str, room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:{database}:fence")
}

/// The members of the cluster by the time until which each is known to live.
pub const NODES: &str = "innkeeper:{nodes}:until";
/// What each of them told of itself, sealed.
pub const ABOUT: &str = "innkeeper:{nodes}:about";
/// The same of nodes that live, and are no members.
pub const WAITING: &str = "innkeeper:{nodes}:waiting:until";
pub const ABOUT_WAITING: &str = "innkeeper:{nodes}:waiting:about";

/// The channel on which nodes wake each other.
pub const BELL: &str = "innkeeper:bell";

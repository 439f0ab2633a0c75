//! The names of the keys in Redis.
//!
//! The part in braces is Redis Cluster's hash tag: keys that one script uses share a slot. Keys of a room type contain the
//! id of the database, because a restored copy has room types with the same ids.

use crate::domain::RoomTypeId;
use crate::store::DatabaseId;

/// The owner of a room type: a hash of node name and token, with a TTL.
pub fn lease(database: &DatabaseId, room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:{database}:lease")
}

/// The highest token of a room type and the node that received it: a hash with a TTL of a week, which every use renews.
pub fn fence(database: &DatabaseId, room_type: RoomTypeId) -> String {
    format!("innkeeper:{{{room_type}}}:{database}:fence")
}

/// The members of the cluster, sorted by the time at which each expires.
pub const MEMBERS: &str = "innkeeper:{nodes}:until";
/// The signed announcement of each member.
pub const ANNOUNCEMENTS: &str = "innkeeper:{nodes}:about";
/// The same two for nodes that are alive but not members.
pub const WAITING: &str = "innkeeper:{nodes}:waiting:until";
pub const WAITING_ANNOUNCEMENTS: &str = "innkeeper:{nodes}:waiting:about";

/// The channel on which nodes wake each other.
pub const WAKE_UPS: &str = "innkeeper:bell";

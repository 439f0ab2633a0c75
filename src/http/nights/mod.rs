//! Nights of a room type: read as availability, set in bulk by the administrator.

pub mod availability;
pub mod docs;
pub mod item;
pub mod set;

//! Room types: the units of sale. A new room type is written to the catalogue. A change goes through the room type's
//! actor, which knows the bookings.

pub mod body;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
pub mod read;

pub use body::RoomTypeView;

use super::code::Code;
use super::problem::Problem;
use crate::domain::{RoomType, RoomTypeId};
use crate::store::Catalogue;

/// The room type, or the problem that it does not exist.
pub async fn find(catalogue: &dyn Catalogue, id: RoomTypeId) -> Result<RoomType, Problem> {
    catalogue.room_type(id).await?.ok_or_else(|| Problem::of(Code::NoSuchRoomType))
}

//! Room types: what is sold. A new one goes to the catalogue; a change goes through its actor, which knows who has
//! booked.

pub mod body;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
pub mod read;

pub use body::RoomTypeView;

use super::code::Code;
use super::problem::Problem;
use super::state::State;
use crate::domain::{RoomType, RoomTypeId};

/// The room type, or the problem that there is none.
pub async fn find(state: &State, id: RoomTypeId) -> Result<RoomType, Problem> {
    state.catalogue.room_type(id).await?.ok_or_else(|| Problem::of(Code::NoSuchRoomType))
}

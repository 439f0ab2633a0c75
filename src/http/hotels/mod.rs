//! Hotels: made and changed by the administrator, read by everybody.

pub mod body;
pub mod calendar;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
mod moved;
pub mod read;

pub use body::HotelView;

use actix_web::web::Data;

use super::answer::to_the_end;
use super::code::Code;
use super::problem::Problem;
use super::state::State;
use crate::domain::{Hotel, HotelId};

/// The hotel, or the problem that there is none.
pub async fn find(state: &State, id: HotelId) -> Result<Hotel, Problem> {
    state.catalogue.hotel(id).await?.ok_or_else(|| Problem::of(Code::NoSuchHotel))
}

/// What became of a write.
pub enum Written<T> {
    Changed(T),
    /// It was so already: nobody is told.
    Same(T),
}

/// Writes something that the actors of a hotel must know, and tells them.
pub async fn write<T: 'static>(
    state: Data<State>,
    hotel: HotelId,
    write: impl AsyncFnOnce(&State) -> Result<Written<T>, Problem> + 'static,
) -> Result<T, Problem> {
    to_the_end(async move {
        match write(&state).await? {
            Written::Same(found) => Ok(found),
            Written::Changed(written) => {
                state.engine.hotel_changed(hotel).await;
                Ok(written)
            }
        }
    })
    .await
}

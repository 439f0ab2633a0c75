//! Hotels. The administrator creates and changes them, any caller may read them.

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

use super::answer::run_to_end;
use super::code::Code;
use super::problem::Problem;
use crate::domain::{Hotel, HotelId};
use crate::engine::Engine;
use crate::store::Catalogue;

/// The hotel, or the problem that it does not exist.
pub async fn find(catalogue: &dyn Catalogue, id: HotelId) -> Result<Hotel, Problem> {
    catalogue.hotel(id).await?.ok_or_else(|| Problem::of(Code::NoSuchHotel))
}

/// The result of a write.
pub enum Written<T> {
    Changed(T),
    /// Nothing changed, so no actor needs a notice.
    Same(T),
}

/// Runs a write to the end, and notifies the actors of the hotel if it changed something.
pub async fn write<T: 'static>(
    engine: Data<Engine>,
    hotel: HotelId,
    write: impl Future<Output = Result<Written<T>, Problem>> + 'static,
) -> Result<T, Problem> {
    run_to_end(async move {
        match write.await? {
            Written::Same(found) => Ok(found),
            Written::Changed(written) => {
                engine.hotel_changed(hotel).await;
                Ok(written)
            }
        }
    })
    .await
}

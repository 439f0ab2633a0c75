//! Services: what a hotel sells beside the room.

pub mod body;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
pub mod read;

pub use body::ServiceView;

use super::code::Code;
use super::problem::Problem;
use super::state::State;
use crate::domain::{Service, ServiceId};

/// The service, or the problem that there is none.
pub async fn find(state: &State, id: ServiceId) -> Result<Service, Problem> {
    state.catalogue.service(id).await?.ok_or_else(|| Problem::of(Code::NoSuchService))
}

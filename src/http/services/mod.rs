//! Services: extras that a hotel sells with a room.

pub mod body;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
pub mod read;

pub use body::ServiceView;

use super::code::Code;
use super::problem::Problem;
use crate::domain::{Service, ServiceId};
use crate::store::Catalogue;

/// The service, or the problem that it does not exist.
pub async fn find(catalogue: &dyn Catalogue, id: ServiceId) -> Result<Service, Problem> {
    catalogue.service(id).await?.ok_or_else(|| Problem::of(Code::NoSuchService))
}

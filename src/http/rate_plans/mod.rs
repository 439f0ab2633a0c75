//! Rate plans: the price of a night and the conditions of sale. The room type's actor creates and changes them.

pub mod body;
pub mod change;
pub mod create;
pub mod docs;
pub mod list;
pub mod policy;
pub mod read;

pub use body::RatePlanView;

use super::code::Code;
use super::problem::Problem;
use crate::domain::{RatePlan, RatePlanId};
use crate::store::Catalogue;

/// The rate plan, or the problem that it does not exist.
pub async fn find(catalogue: &dyn Catalogue, id: RatePlanId) -> Result<RatePlan, Problem> {
    catalogue.rate_plan(id).await?.ok_or_else(|| Problem::of(Code::NoSuchRatePlan))
}

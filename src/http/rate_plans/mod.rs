//! Rate plans: what a night costs and under which conditions. They are made and changed by their room type's actor.

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
use super::state::State;
use crate::domain::{RatePlan, RatePlanId};

/// The rate plan, or the problem that there is none.
pub async fn find(state: &State, id: RatePlanId) -> Result<RatePlan, Problem> {
    state.catalogue.rate_plan(id).await?.ok_or_else(|| Problem::of(Code::NoSuchRatePlan))
}

//! What the integration tests share.

pub mod app;
pub mod demand_file;
pub mod fixtures;
pub mod live;
pub mod place;
pub mod postgres;
pub mod program;
pub mod unreliable_ledger;

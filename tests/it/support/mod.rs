//! What the integration tests share.

mod app;
pub mod demand_file;
pub mod fixtures;
pub mod program;

pub use app::{ADMIN, App, answer, app, app_in, run};

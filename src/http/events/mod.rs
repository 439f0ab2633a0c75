//! `/v1/events`: everything that has happened, for integrations. It says what changed, never whom it concerns.

pub mod docs;
pub mod list;
pub mod view;

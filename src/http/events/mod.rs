//! `/v1/events`: the feed of all events, for integrations. An event never contains guest data.

pub mod docs;
pub mod list;
pub mod view;

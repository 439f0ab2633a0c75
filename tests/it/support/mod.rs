//! Helpers of the integration tests.

pub mod app;
pub mod certificate;
pub mod cluster;
pub mod counted;
pub mod demand_file;
pub mod eventually;
pub mod fixtures;
pub mod live;
pub mod members;
pub mod postgres;
pub mod program;
pub mod raw;
pub mod redis;
pub mod test_database;
pub mod unreliable_journal;
pub mod wire;

pub use redis::{port, watched};

//! What the integration tests share.

pub mod app;
pub mod certificate;
pub mod cluster;
pub mod counted;
pub mod demand_file;
pub mod eventually;
pub mod fixtures;
pub mod live;
pub mod place;
pub mod postgres;
pub mod program;
pub mod raw;
pub mod redis;
pub mod unreliable_ledger;
pub mod wire;

pub use redis::{port, watched};

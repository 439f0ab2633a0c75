pub mod clock;
pub mod domain;
pub mod engine;
pub mod http;
pub mod lease;
pub mod store;
pub mod writer;

//! How an endpoint is described in OpenAPI: its operation, its schemas and its examples.
//!
//! Each folder's `docs.rs` uses it. [`openapi`](mod@super::openapi) collects the descriptions in one document.

pub mod example;
pub mod operation;
pub mod schemas;

//! The HTTP API: reads requests, calls the engine or the store, and renders answers.
//!
//! Owns the wire format: paths, bodies, headers, problem documents, and their description at `/openapi.json`. Called by
//! `app.rs`, which starts a server with [`configure`]. It makes no decision: the engine sells, moves and refuses, and
//! the domain has the rules of every value.
//!
//! Submodules depend on each other in one direction. `wire`, `code` and `value` are leaves. `names`, `problem`,
//! `limits`, `extract`, `throttle`, `forward` and `edge` build on them. Each resource has a folder. `openapi`,
//! `dependencies` and `routes` put everything together. A test in `tests/tidy.rs` fails when a circle appears.
//!
//! Invariants: every error is a problem document with a code of one table. Unknown and repeated members and parameters
//! are refused. No secret, SQL text or file path is answered. Bodies, lists, headers and keys have limits.
//!
//! On failure the client learns whether a repeat helps (503 with Retry-After). A panic in a handler is a 500 for that
//! request alone.
//!
//! To add an endpoint: a line in [`routes`], a file for its handler, a paragraph in its folder's `docs.rs`. A test
//! compares routes and descriptions.

pub mod access;
pub mod answer;
pub mod bookings;
pub mod cluster;
pub mod code;
pub mod connection;
pub mod creation;
pub mod dependencies;
pub mod describe;
pub mod edge;
pub mod events;
pub mod extract;
pub mod forward;
pub mod hotels;
pub mod limits;
pub mod merge_patch;
pub mod names;
pub mod nights;
pub mod openapi;
pub mod page;
pub mod problem;
#[cfg(test)]
mod properties;
pub mod rate_plans;
pub mod room_types;
pub mod routes;
pub mod search;
pub mod services;
pub mod system;
pub mod throttle;
pub mod value;
pub mod wire;

pub use access::Access;
pub use connection::{Connections, Limits, server};
pub use dependencies::Dependencies;
pub use forward::Peers;
pub use openapi::openapi;
pub use problem::Problem;
pub use routes::{Audience, configure};

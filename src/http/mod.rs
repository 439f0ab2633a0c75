//! The HTTP API: turns bytes into typed input, asks the engine or the store, and renders the answer.
//!
//! Owns the wire format: addresses, bodies, headers, problem documents, and their description at `/openapi.json`.
//! Called by `app.rs`, which puts a server around [`configure`]. It never decides: whether something is sold, moved or
//! refused is the engine's word, and every rule of a field is the domain's.
//!
//! Invariants: every error is a problem document with a code of one table; unknown members, parameters and doubles are
//! refused; no secret, SQL text or file path leaves; bodies, lists, headers and keys have limits.
//!
//! When something fails, the client learns whether repeating helps (503 with Retry-After) and never a wrong yes. A
//! panic in a handler is a 500 for that request alone.
//!
//! To add an address: a line in [`routes`], a file for its verb, a paragraph in its folder's `docs.rs`. A test compares
//! the three.

pub mod access;
pub mod answer;
pub mod bookings;
pub mod cluster;
pub mod code;
pub mod connection;
pub mod edge;
pub mod events;
pub mod extract;
pub mod forward;
pub mod hotels;
pub mod merge_patch;
pub mod nights;
pub mod openapi;
pub mod page;
pub mod problem;
#[cfg(test)]
mod properties;
pub mod rate_plans;
pub mod refusal;
pub mod room_types;
pub mod routes;
pub mod search;
pub mod services;
pub mod state;
pub mod system;
pub mod throttle;
pub mod value;

pub use access::Access;
pub use connection::{Connections, Limits, server};
pub use forward::Peers;
pub use openapi::openapi;
pub use problem::Problem;
pub use routes::{Audience, configure};
pub use state::State;

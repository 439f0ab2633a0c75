//! Connections: limits on their number, their duration and their memory.
//!
//! Owns the TCP side of a listener. [`server()`] builds actix's server over [`stream`], an I/O type that records what
//! each client does ([`activity`]). [`service`] reports where a request begins and where its answer ends. [`open`]
//! holds all connections of a listener and closes those that break a rule of [`rules`]. Called by `app.rs`.
//!
//! Rules:
//! - A head must be complete within the request timeout.
//! - A body must arrive, and an answer must be read, within the same time and one more second for each
//!   [`rules::SLOWEST`] bytes.
//! - A connection without a request may stay open for the keep-alive time.
//! - On a full server, a new connection replaces the connection that was idle for longest. Without an idle connection
//!   it replaces one whose client has kept the server waiting for a second within a request. A request that the server
//!   works on and a WebSocket keep their connections. Otherwise the new connection is refused.
//! - Unfinished requests and unread answers of all connections share one limit in bytes.
//!
//! A request costs a few relaxed atomic operations. The supervisor reads the records every [`open::TICK`] and asks a
//! connection to close. The connection's task checks the rule again and closes its own socket. If the supervisor
//! stalls, no connection is closed, and clients are not affected.

pub mod activity;
mod head;
pub mod open;
pub mod plain;
pub mod rules;
pub mod server;
pub mod service;
pub mod stream;
mod ticks;

pub use open::Connections;
pub use rules::{Limits, most};
pub use server::server;

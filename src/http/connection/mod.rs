//! Connections: who may open one, how long a client may keep it, and how much memory it may hold.
//!
//! Owns the TCP side of a listener: [`server()`] builds actix's server over [`stream`], an I/O type that records what each
//! client does ([`activity`]). [`service`] tells it where a request begins and where its answer ends. [`open`] knows all
//! connections of the process and closes those that break a rule of [`rules`]. Called by `app.rs`.
//!
//! Rules: every head has to be complete within the request timeout, and so has every body and every answer, with a
//! second more for each [`rules::SLOWEST`] bytes. A connection without a request is idle for the keep-alive time at
//! most. A new connection on a full server takes the place of the one that has been idle for longest, or else of one whose
//! client has kept the server waiting for a second in the middle of a request. A request that the server works on and a
//! WebSocket keep theirs. Where no place can be had, the new connection is refused. Unfinished requests and unread answers
//! of all connections have one limit in bytes.
//!
//! A request costs a few relaxed atomic operations. The supervisor reads them every [`open::TICK`], asks for a close and
//! wakes the connection's task, which checks the rule again and closes its own socket. A supervisor that stalls closes
//! nothing; clients notice nothing.

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

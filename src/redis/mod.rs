//! The connection to Redis: one server, or a Redis Cluster, with or without TLS.
//!
//! Owns the addresses, the connections and the time-outs. Called by [`crate::lease`], and by any other module that keeps
//! something in Redis. It never chooses keys or scripts, and never knows what they are for: each caller brings its own.
//!
//! Limits: a call takes no longer than the time-out that [`Connection::new`] was given. At most 1,024 commands wait for
//! a single server. No call waits for Redis to come back.
//!
//! Failure: a call that is not answered in time, or is refused, returns [`Error`]. A broken connection is opened again by the
//! next call. A connection to a server that is silent, or has become a replica, is left: the address may lead to another
//! server by now. An error does not say whether the script ran, so callers send scripts that can be repeated.
//!
//! Sentinel is not supported: use an address that follows the primary, or a Redis Cluster.

mod addresses;
mod connection;
mod single;

pub use addresses::{Addresses, BadAddress};
pub use connection::{Connection, Messages};

/// Redis did not answer in time, or answered with an error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] anyhow::Error);

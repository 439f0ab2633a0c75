//! The addresses of Redis, as they are configured.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo};

/// One address of a single server, or several of a Redis Cluster. They can contain a password and are never shown.
#[derive(Clone)]
pub struct Addresses(pub(super) Vec<ConnectionInfo>);

impl FromStr for Addresses {
    type Err = ();

    /// Reads `redis://`, `rediss://` or `redis+unix://` addresses, separated by commas.
    fn from_str(text: &str) -> Result<Self, ()> {
        let parsed = text.split(',').map(|address| address.trim().into_connection_info().map_err(drop));
        parsed.collect::<Result<Vec<_>, ()>>().map(Self)
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addresses({} of them)", self.0.len())
    }
}

/// Addresses that can be read but not used, such as those of a Redis Cluster with different passwords.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BadAddress(#[from] redis::RedisError);

//! The identity of a database. Nodes compare it to find out whether they use the same database.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of the digest that are kept.
const KEPT: usize = 16;

/// Which database a store is, and which server process serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// A digest of the installation's secret, the server's system identifier, and the database's number on the server.
    /// A dump restored on another server has another system identifier; `CREATE DATABASE … TEMPLATE` makes another
    /// number.
    pub database: Arc<str>,
    /// Start time of the server process, in microseconds since 1970. A copy of the server's files has the same digest,
    /// but another process. Unknown while the server cannot be reached.
    pub server: Option<i64>,
}

impl Identity {
    /// The digest reveals nothing of the installation's secret.
    pub fn of(secret: &[u8; 32], system_identifier: i64, number: i64, server_started: i64) -> Self {
        let digest = Sha256::new()
            .chain_update(b"innkeeper: identity of a database")
            .chain_update(secret)
            .chain_update(system_identifier.to_be_bytes())
            .chain_update(number.to_be_bytes())
            .finalize();
        Self { database: HEXLOWER.encode(&digest[..KEPT]).into(), server: Some(server_started) }
    }

    /// The identity of a store that only one node can use.
    pub fn unshared() -> Self {
        Self { database: "unshared".into(), server: None }
    }

    pub fn is_same_database(&self, other: &Self) -> bool {
        self.database == other.database
    }

    /// Whether two different processes certainly serve the two databases. While a server restarts, nodes notice it at
    /// different times.
    pub fn is_on_another_server(&self, other: &Self) -> bool {
        self.server.zip(other.server).is_some_and(|(mine, theirs)| mine != theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_copy_has_another_identity() {
        let original = Identity::of(&[1; 32], 7, 16_384, 1_000);
        assert_eq!(original, Identity::of(&[1; 32], 7, 16_384, 1_000));
        assert!(!original.is_same_database(&Identity::of(&[2; 32], 7, 16_384, 1_000)), "an empty one");
        assert!(!original.is_same_database(&Identity::of(&[1; 32], 8, 16_384, 1_000)), "a dump restored elsewhere");
        assert!(!original.is_same_database(&Identity::of(&[1; 32], 7, 16_385, 1_000)), "a copy beside it");
        let files = Identity::of(&[1; 32], 7, 16_384, 2_000);
        assert!(original.is_same_database(&files) && original.is_on_another_server(&files), "a copy of its files");
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_not_another_one() {
        let known = Identity::of(&[1; 32], 7, 16_384, 1_000);
        let unknown = Identity { server: None, ..known.clone() };
        assert!(!known.is_on_another_server(&unknown) && !unknown.is_on_another_server(&known));
    }
}

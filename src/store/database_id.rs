//! The id of a database. Two databases with different ids are certainly different; a byte copy of the files has the same id.

use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of the digest that are kept.
const KEPT: usize = 16;

/// A digest of the installation's secret, the server's system identifier and the database's number on that server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseId(Arc<str>);

impl DatabaseId {
    /// The digest does not reveal the installation's secret.
    pub fn of(secret: &[u8; 32], system_identifier: i64, number: i64) -> Self {
        let digest = Sha256::new()
            .chain_update(b"innkeeper: identity of a database")
            .chain_update(secret)
            .chain_update(system_identifier.to_be_bytes())
            .chain_update(number.to_be_bytes())
            .finalize();
        Self(HEXLOWER.encode(&digest[..KEPT]).into())
    }

    /// The id of a store that only one node can use.
    pub fn unshared() -> Self {
        Self("unshared".into())
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_with_another_secret_server_or_number_have_another_id() {
        let original = DatabaseId::of(&[1; 32], 7, 16_384);
        assert_eq!(original, DatabaseId::of(&[1; 32], 7, 16_384));
        assert_ne!(original, DatabaseId::of(&[2; 32], 7, 16_384), "an empty one");
        assert_ne!(original, DatabaseId::of(&[1; 32], 8, 16_384), "a dump restored elsewhere");
        assert_ne!(original, DatabaseId::of(&[1; 32], 7, 16_385), "a copy beside it");
    }
}

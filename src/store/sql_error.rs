//! What a failure of the database means, decided in one place for every SQL store.

use super::Error;

/// What SQLite says of a column that should be JSON and is not.
const MALFORMED_JSON: &str = "malformed JSON";

impl From<sqlx::Error> for Error {
    /// A value that cannot be read is a corrupt row. Everything else (a full disk, a lock that is not given up, an I/O
    /// error, a closed pool) is a store that cannot answer now.
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
                Self::Corrupt(error.into())
            }
            sqlx::Error::Database(ref said) if said.message() == MALFORMED_JSON => Self::Corrupt(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

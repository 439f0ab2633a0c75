//! What a failure of the database means, decided in one place for every SQL store.

use anyhow::anyhow;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;

use crate::store::Error;

/// What SQLite says of a column that should be JSON and is not; PostgreSQL stores no such thing.
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

/// Why the schema cannot be brought up to date, and what to do.
pub fn cannot_migrate(error: MigrateError) -> Error {
    Error::Unavailable(match error {
        MigrateError::VersionMismatch(step) => anyhow!(
            "step {step} of its schema is not the one that this innkeeper knows, so another version made it, maybe one \
             under development; nothing was changed: go on with that version, or begin with another database"
        ),
        error => error.into(),
    })
}

/// Whether the database refuses what it was given, and always will: a constraint forbids it, or a column cannot hold
/// it. The transaction is over, the connection is fine.
pub fn contradicts(error: &(dyn std::error::Error + 'static)) -> bool {
    let Some(database) = database_error(error) else { return false };
    // SQLSTATE class 22: data exception. SQLite's codes are shorter.
    let unfit = database.code().is_some_and(|code| code.len() == 5 && code.starts_with("22"));
    unfit || !matches!(database.kind(), ErrorKind::Other)
}

/// What the database itself said, if that is what went wrong.
pub fn database_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn DatabaseError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<sqlx::Error>()?.as_database_error())
}

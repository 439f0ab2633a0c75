//! What an error of the database means, decided in one place for every SQL store.

use anyhow::anyhow;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;

use crate::store::Error;

/// SQLite's message for a JSON column that is not JSON. PostgreSQL stores no such value.
const MALFORMED_JSON: &str = "malformed JSON";

impl From<sqlx::Error> for Error {
    /// A value that cannot be read is a corrupt row. A value that the database refuses is the caller's error. Every
    /// other error (a full disk, a lock, an I/O error, a closed pool) means that the store cannot answer now.
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
                Self::Corrupt(error.into())
            }
            sqlx::Error::Database(ref said) if said.message() == MALFORMED_JSON => Self::Corrupt(error.into()),
            error if contradicts(&error) => Self::Refused(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// Why a migration failed, and what to do.
pub fn cannot_migrate(error: MigrateError) -> Error {
    Error::Unavailable(match error {
        MigrateError::VersionMismatch(step) => anyhow!(
            "step {step} of its schema is not the one that this innkeeper knows, so another version made it, maybe one \
             under development; nothing was changed: go on with that version, or begin with another database"
        ),
        error => error.into(),
    })
}

/// Whether the database refuses the values: a column cannot hold them, a limit is exceeded, or a constraint or trigger
/// forbids them. The transaction has ended; the connection can be used.
pub fn contradicts(error: &(dyn std::error::Error + 'static)) -> bool {
    is_unfit(error) || database_error(error).is_some_and(is_forbidden)
}

/// Whether the values could never be stored: a type cannot hold them, or they are too large.
pub fn is_unfit(error: &(dyn std::error::Error + 'static)) -> bool {
    is_unsendable(error)
        || match database_error(error).and_then(code) {
            // Class 22: data exception. Class 54: program limit exceeded, such as an index row that is too long.
            Some(Code::Postgres(state)) => state.starts_with("22") || state.starts_with("54"),
            Some(Code::Sqlite(primary)) => primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH,
            None => false,
        }
}

/// Whether a constraint or trigger forbids the values, given the present rows.
fn is_forbidden(said: &dyn DatabaseError) -> bool {
    let by_code = match code(said) {
        // Class 23: integrity constraint violation. P0001: a trigger raised an exception.
        Some(Code::Postgres(state)) => state.starts_with("23") || state == "P0001",
        Some(Code::Sqlite(primary)) => primary == SQLITE_CONSTRAINT,
        None => false,
    };
    by_code || !matches!(said.kind(), ErrorKind::Other)
}

/// Whether the driver could not encode the values.
fn is_unsendable(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| matches!(cause.downcast_ref(), Some(sqlx::Error::Encode(_))))
}

const SQLITE_TOOBIG: u32 = 18;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_MISMATCH: u32 = 20;

/// The code of a database error.
enum Code {
    /// PostgreSQL: an SQLSTATE, always five characters.
    Postgres(String),
    /// SQLite: the primary result code, the low byte of the extended code. The extended code has at most four digits.
    Sqlite(u32),
}

fn code(said: &dyn DatabaseError) -> Option<Code> {
    let code = said.code()?;
    match code.len() {
        5 => Some(Code::Postgres(code.into_owned())),
        _ => code.parse().ok().map(|extended: u32| Code::Sqlite(extended & 0xff)),
    }
}

/// The error of the database among the causes, if there is one.
pub fn database_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn DatabaseError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<sqlx::Error>()?.as_database_error())
}

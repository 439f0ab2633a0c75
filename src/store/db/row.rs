//! Rows of either database.

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::Columns;
use crate::domain::Date;
use crate::store::Error;

/// A row of either database.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The same question to whichever row there is.
macro_rules! ask {
    ($row:expr, $question:ident, $column:expr) => {
        match $row {
            Row::Sqlite(row) => row.$question($column),
            Row::Postgres(row) => row.$question($column),
        }
    };
}

impl Columns for Row {
    fn uuid(&self, column: &'static str) -> Result<Uuid, Error> {
        ask!(self, uuid, column)
    }

    fn uuid_opt(&self, column: &'static str) -> Result<Option<Uuid>, Error> {
        ask!(self, uuid_opt, column)
    }

    fn date_opt(&self, column: &'static str) -> Result<Option<Date>, Error> {
        ask!(self, date_opt, column)
    }

    fn text(&self, column: &'static str) -> Result<&str, Error> {
        ask!(self, text, column)
    }

    fn text_opt(&self, column: &'static str) -> Result<Option<&str>, Error> {
        ask!(self, text_opt, column)
    }

    fn integer_opt(&self, column: &'static str) -> Result<Option<i64>, Error> {
        ask!(self, integer_opt, column)
    }

    fn float_opt(&self, column: &'static str) -> Result<Option<f64>, Error> {
        ask!(self, float_opt, column)
    }

    fn boolean(&self, column: &'static str) -> Result<bool, Error> {
        ask!(self, boolean, column)
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        ask!(self, json, column)
    }

    fn blob(&self, column: &'static str) -> Result<&[u8], Error> {
        ask!(self, blob, column)
    }
}

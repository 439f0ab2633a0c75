//! Columns by name, as typed values: one way to read the rows of every database.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::{Amount, Date, Timestamp};
use crate::store::Error;

/// A column whose text or number is not what this version writes.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {reason}")]
struct Unreadable {
    column: &'static str,
    reason: String,
}

pub fn unreadable(column: &'static str, reason: impl Display) -> Error {
    Error::Corrupt(Unreadable { column, reason: reason.to_string() }.into())
}

/// A row whose columns are read by name.
pub trait Columns {
    fn uuid(&self, column: &'static str) -> Result<Uuid, Error>;
    fn uuid_opt(&self, column: &'static str) -> Result<Option<Uuid>, Error>;
    fn date_opt(&self, column: &'static str) -> Result<Option<Date>, Error>;
    fn text(&self, column: &'static str) -> Result<&str, Error>;
    fn text_opt(&self, column: &'static str) -> Result<Option<&str>, Error>;
    fn integer_opt(&self, column: &'static str) -> Result<Option<i64>, Error>;
    fn float_opt(&self, column: &'static str) -> Result<Option<f64>, Error>;
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error>;
    fn boolean(&self, column: &'static str) -> Result<bool, Error>;
    fn blob(&self, column: &'static str) -> Result<&[u8], Error>;

    /// A blob of a fixed length.
    fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], Error> {
        self.blob(column)?.try_into().map_err(|error| unreadable(column, error))
    }

    fn date(&self, column: &'static str) -> Result<Date, Error> {
        self.date_opt(column)?.ok_or_else(|| unreadable(column, "it is null"))
    }

    /// Text that a type can be parsed from: times of day, codes.
    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, Error> {
        self.text(column)?.parse().map_err(|error| unreadable(column, error))
    }

    fn number_opt<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<Option<T>, Error> {
        let number = self.integer_opt(column)?;
        number.map(T::try_from).transpose().map_err(|error| unreadable(column, error))
    }

    fn number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T, Error> {
        self.number_opt(column)?.ok_or_else(|| unreadable(column, "it is null"))
    }

    fn amount(&self, column: &'static str) -> Result<Amount, Error> {
        self.number(column).map(Amount)
    }

    fn instant(&self, column: &'static str) -> Result<Timestamp, Error> {
        Timestamp::from_microsecond(self.number(column)?).map_err(|error| unreadable(column, error))
    }
}

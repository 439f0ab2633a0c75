//! SQLite's rows: ids and dates are text, JSON too.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::domain::Date;
use crate::store::Error;
use crate::store::sql::{Columns, unreadable};

impl Columns for SqliteRow {
    fn uuid(&self, column: &'static str) -> Result<Uuid, Error> {
        parse(column, self.try_get(column)?)
    }

    fn uuid_opt(&self, column: &'static str) -> Result<Option<Uuid>, Error> {
        self.text_opt(column)?.map(|text| parse(column, text)).transpose()
    }

    fn date_opt(&self, column: &'static str) -> Result<Option<Date>, Error> {
        self.text_opt(column)?.map(|text| parse(column, text)).transpose()
    }

    fn text(&self, column: &'static str) -> Result<&str, Error> {
        Ok(self.try_get(column)?)
    }

    fn text_opt(&self, column: &'static str) -> Result<Option<&str>, Error> {
        Ok(self.try_get(column)?)
    }

    fn integer_opt(&self, column: &'static str) -> Result<Option<i64>, Error> {
        Ok(self.try_get(column)?)
    }

    fn float_opt(&self, column: &'static str) -> Result<Option<f64>, Error> {
        Ok(self.try_get(column)?)
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        serde_json::from_str(self.try_get(column)?).map_err(|error| unreadable(column, error))
    }

    fn boolean(&self, column: &'static str) -> Result<bool, Error> {
        Ok(self.try_get(column)?)
    }

    fn blob(&self, column: &'static str) -> Result<&[u8], Error> {
        Ok(self.try_get(column)?)
    }
}

fn parse<T: FromStr<Err: Display>>(column: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| unreadable(column, error))
}

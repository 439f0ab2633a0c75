//! PostgreSQL's rows: ids, dates and JSON have types of their own, and numbers have several.

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Column, Row, TypeInfo};
use uuid::Uuid;

use crate::domain::Date;
use crate::store::Error;
use crate::store::sql::Columns;

impl Columns for PgRow {
    fn uuid(&self, column: &'static str) -> Result<Uuid, Error> {
        Ok(self.try_get(column)?)
    }

    fn uuid_opt(&self, column: &'static str) -> Result<Option<Uuid>, Error> {
        Ok(self.try_get(column)?)
    }

    fn date_opt(&self, column: &'static str) -> Result<Option<Date>, Error> {
        Ok(self.try_get::<Option<jiff_sqlx::Date>, _>(column)?.map(|date| date.to_jiff()))
    }

    fn text(&self, column: &'static str) -> Result<&str, Error> {
        Ok(self.try_get(column)?)
    }

    fn text_opt(&self, column: &'static str) -> Result<Option<&str>, Error> {
        Ok(self.try_get(column)?)
    }

    fn integer_opt(&self, column: &'static str) -> Result<Option<i64>, Error> {
        Ok(match self.try_column(column)?.type_info().name() {
            "INT2" => self.try_get::<Option<i16>, _>(column)?.map(i64::from),
            "INT4" => self.try_get::<Option<i32>, _>(column)?.map(i64::from),
            _ => self.try_get(column)?,
        })
    }

    fn float_opt(&self, column: &'static str) -> Result<Option<f64>, Error> {
        Ok(self.try_get(column)?)
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        Ok(self.try_get::<Json<T>, _>(column)?.0)
    }

    fn boolean(&self, column: &'static str) -> Result<bool, Error> {
        Ok(self.try_get(column)?)
    }

    fn blob(&self, column: &'static str) -> Result<&[u8], Error> {
        Ok(self.try_get(column)?)
    }
}

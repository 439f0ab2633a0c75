//! A statement and its values.

use std::borrow::Cow;

use serde::Serialize;
use uuid::Uuid;

use crate::domain::{Date, Timestamp};
use crate::store::Error;

/// A value of a statement. `None` is NULL of that type.
///
/// | value | SQLite | PostgreSQL |
/// | --- | --- | --- |
/// | `Uuid` | text | `uuid` |
/// | `Text` | text | `text` |
/// | `Integer`, and an instant as microseconds since 1970 | integer | `bigint` |
/// | `Float` | real | `double precision` |
/// | `Boolean` | 0 or 1 | `boolean` |
/// | `Date` | text, `YYYY-MM-DD` | `date` |
/// | `Bytes` | blob | `bytea` |
/// | `Json` | text | `json`, which a column of type `jsonb` takes too |
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Uuid(Option<Uuid>),
    Text(Option<String>),
    Integer(Option<i64>),
    Float(Option<f64>),
    Boolean(Option<bool>),
    Date(Option<Date>),
    Bytes(Option<Vec<u8>>),
    Json(Option<String>),
}

impl Value {
    /// The JSON of a value. An error: the value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_string(value).map_err(|error| Error::Refused(error.into()))?;
        Ok(Self::Json(Some(json)))
    }
}

/// Conversions from a Rust type, and from an `Option` of it.
macro_rules! values {
    ($($kind:ident: $($from:ty),+;)+) => {
        $($(
            impl From<$from> for Value {
                fn from(value: $from) -> Self {
                    Self::$kind(Some(value.into()))
                }
            }

            impl From<Option<$from>> for Value {
                fn from(value: Option<$from>) -> Self {
                    Self::$kind(value.map(Into::into))
                }
            }
        )+)+
    };
}

values! {
    Uuid: Uuid;
    Text: String, &str;
    Integer: i64, i32, i16, u32, u16, u8;
    Float: f64;
    Boolean: bool;
    Date: Date;
    Bytes: Vec<u8>, &[u8];
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(Some(at.as_microsecond()))
    }
}

/// A statement that both databases understand, with the values of its parameters `$1`, `$2` and so on.
#[derive(Debug)]
pub struct Statement {
    /// Never has a value in it: values are parameters.
    pub(in crate::store) text: Cow<'static, str>,
    pub(in crate::store) values: Vec<Value>,
}

impl Statement {
    /// A statement without values. Its text comes from this program, never from a request.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// The value of the next parameter.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The values of the next parameters.
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// More of the text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// The next parameter in the text, and its value.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let parameter = format!("${}", self.values.len());
        self.push(&parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_the_order_of_their_values() {
        let mut statement = Statement::new("SELECT 1 WHERE id > ");
        statement.push_bind(Uuid::nil()).push(" AND name = ").push_bind("Ana").push(" LIMIT ").push_bind(2_u32);
        assert_eq!(statement.text, "SELECT 1 WHERE id > $1 AND name = $2 LIMIT $3");
        let values = [Value::Uuid(Some(Uuid::nil())), Value::Text(Some("Ana".into())), Value::Integer(Some(2))];
        assert_eq!(statement.values, values);
    }

    #[test]
    fn a_missing_value_keeps_its_type() {
        assert_eq!(Value::from(None::<f64>), Value::Float(None));
        assert_eq!(Value::from(Some("Ana")), Value::Text(Some("Ana".into())));
    }
}

//! Lists: `{items, next_cursor}`, in a stable order, page by page.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::value::whole;
use crate::domain::Violation;
use crate::store::Page;

/// Items of a page by default.
pub const DEFAULT_LIMIT: u32 = 20;
/// The most items of a page.
pub const MAX_LIMIT: u32 = 200;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page. Null on the last page.
    pub next_cursor: Option<String>,
}

/// The query parameters of a list without filters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

impl<T> List<T> {
    /// A page of rows. The store was asked for one row more than `limit`: it shows whether another page exists.
    pub fn of<Row>(rows: Vec<Row>, limit: u32, id: impl Fn(&Row) -> Uuid) -> Self
    where
        T: for<'row> From<&'row Row>,
    {
        Self::with(rows, limit, id, |row| T::from(row))
    }

    /// Like [`List::of`], with a function that converts a row.
    pub fn with<Row>(mut rows: Vec<Row>, limit: u32, id: impl Fn(&Row) -> Uuid, view: impl Fn(&Row) -> T) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more).map(|row| encode(id(row).as_bytes()));
        Self { items: rows.iter().map(view).collect(), next_cursor: last }
    }
}

// Not derived: utoipa would give the lists of all types the same name.
impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(T::name());
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Send it as `cursor` to get the next page. Null on the last page."));
        let list = ObjectBuilder::new().property("items", ArrayBuilder::new().items(item));
        list.property("next_cursor", cursor).required("items").required("next_cursor").into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl Paging {
    /// The number of items on the page.
    pub fn limit(&self) -> Result<u32, Violation> {
        self.limit.map_or(Ok(DEFAULT_LIMIT), |limit| whole(limit, 1, MAX_LIMIT, "/limit", "limit_range"))
    }

    /// The rows to read from the store, and the number of items to show.
    pub fn page<Id>(&self, id: impl Fn(Uuid) -> Id) -> Result<(Page<Id>, u32), Violation> {
        let limit = self.limit()?;
        let after = self.cursor.as_deref().map(|cursor| {
            let bytes = decode(cursor)?;
            Uuid::from_slice(&bytes).map(&id).map_err(|_| bad_cursor())
        });
        Ok((Page { after: after.transpose()?, limit: limit + 1 }, limit))
    }
}

/// Encodes a cursor. Cursors are opaque to clients.
pub fn encode(key: &[u8]) -> String {
    BASE64URL_NOPAD.encode(key)
}

pub fn decode(cursor: &str) -> Result<Vec<u8>, Violation> {
    BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad_cursor())
}

pub fn bad_cursor() -> Violation {
    Violation::new("/cursor", "cursor", "must be the next_cursor of an earlier page")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(limit: Option<i64>, cursor: Option<&str>) -> Paging {
        Paging { limit, cursor: cursor.map(str::to_owned) }
    }

    #[test]
    fn one_row_too_many_makes_a_cursor() {
        let rows: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = List::with(rows.clone(), 2, |id| *id, |id| id.to_string());
        assert_eq!(page.items.len(), 2);
        let (next, limit) = paging(Some(2), page.next_cursor.as_deref()).page(|id| id).unwrap();
        assert_eq!((next.after, next.limit, limit), (Some(Uuid::from_u128(2)), 3, 2));
        assert_eq!(List::with(rows, 3, |id| *id, |id| id.to_string()).next_cursor, None);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        assert_eq!(paging(None, None).limit(), Ok(DEFAULT_LIMIT));
        for limit in [0, -1, 201, i64::MAX] {
            assert_eq!(paging(Some(limit), None).limit().unwrap_err().rule, "limit_range");
        }
        for cursor in ["!", "AAAA", ""] {
            assert_eq!(paging(None, Some(cursor)).page(|id| id).unwrap_err().rule, "cursor");
        }
    }
}

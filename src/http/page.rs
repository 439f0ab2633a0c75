//! Lists: `{items, next_cursor}`, in a stable order, a page at a time.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::value::whole;
use crate::domain::Violation;
use crate::store::Page;

/// Items of a page, unless the client says otherwise.
pub const DEFAULT_LIMIT: u32 = 20;
/// The most items of a page.
pub const MAX_LIMIT: u32 = 200;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T: ToSchema> {
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// The parameters of a list that has no others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

impl<T: ToSchema> List<T> {
    /// A page of rows, of which one more than `limit` was asked for to see whether there are more.
    pub fn of<Row>(rows: Vec<Row>, limit: u32, id: impl Fn(&Row) -> Uuid) -> Self
    where
        T: for<'row> From<&'row Row>,
    {
        Self::with(rows, limit, id, |row| T::from(row))
    }

    /// The same, where a row needs help to be shown.
    pub fn with<Row>(mut rows: Vec<Row>, limit: u32, id: impl Fn(&Row) -> Uuid, view: impl Fn(&Row) -> T) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more).map(|row| encode(id(row).as_bytes()));
        Self { items: rows.iter().map(view).collect(), next_cursor: last }
    }
}

impl Paging {
    /// How many items are wanted.
    pub fn limit(&self) -> Result<u32, Violation> {
        self.limit.map_or(Ok(DEFAULT_LIMIT), |limit| whole(limit, 1, MAX_LIMIT, "/limit", "limit_range"))
    }

    /// The rows to ask the store for, and how many of them to show.
    pub fn page<Id>(&self, id: impl Fn(Uuid) -> Id) -> Result<(Page<Id>, u32), Violation> {
        let limit = self.limit()?;
        let after = self.cursor.as_deref().map(|cursor| {
            let bytes = decode(cursor)?;
            Uuid::from_slice(&bytes).map(&id).map_err(|_| bad_cursor())
        });
        Ok((Page { after: after.transpose()?, limit: limit + 1 }, limit))
    }
}

/// Cursors are opaque: clients hand them back as they got them.
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

//! Cold tables: one SQL text for both databases, one file per aggregate.
//!
//! Owns every statement that neither is on the hot path nor locks rows that a commit locks. A function takes a
//! [`Connection`](super::db::Connection) or, where its statements belong together, the transaction of its caller. Called
//! by the traits of [`super`], which `catalogue` and `reports` implement once for every [`Database`](super::db::Database).
//!
//! Invariant: no statement here names a database. What must differ is taken from the connection's
//! [`Dialect`](super::db::Dialect).
//!
//! Statements that stay in [`super::sqlite`] and [`super::postgres`]: commit, claim, load, the look-up of idempotency keys,
//! positions of the feed, and whatever locks.

pub mod bookings;
mod catalogue;
pub mod city_keys;
pub mod events;
pub mod evidence;
pub mod hotels;
pub mod idempotency;
pub mod installation;
pub mod nights;
pub mod rate_plans;
mod reports;
pub mod room_types;
pub mod services;
#[cfg(test)]
pub mod statements;
pub mod stock;

use uuid::Uuid;

use super::db::Statement;

/// A statement for the rows of `owner` in order of their ids: `$1` the owner, `$2` the last id of the page before, `$3` the
/// limit.
fn page_of(owner: Uuid, text: &'static str, after: Option<Uuid>, limit: u32) -> Statement {
    Statement::new(text).bind(owner).bind(after.unwrap_or_default()).bind(limit)
}

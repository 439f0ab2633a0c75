//! Claiming a room type: raising its fencing token, after the commits that go by the old one.

use super::Postgres;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::sql::Columns;
use crate::store::{Claim, Error};

/// Waits for a commit under way, which has locked the row.
pub(super) const RAISE: &str = "UPDATE room_types SET fencing_token = $2 WHERE id = $1 AND fencing_token < $2";
pub(super) const CURRENT: &str = "SELECT fencing_token FROM room_types WHERE id = $1";

impl Postgres {
    pub(super) async fn raise_token(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        if self.pool.execute(sqlx::query(RAISE).bind(room_type.0).bind(token.0)).await? > 0 {
            return Ok(Claim::Granted);
        }
        match self.pool.optional(sqlx::query(CURRENT).bind(room_type.0)).await? {
            Some(row) => Ok(Claim::Stale { current: Token(row.number("fencing_token")?) }),
            None => Ok(Claim::NoSuchRoomType),
        }
    }
}

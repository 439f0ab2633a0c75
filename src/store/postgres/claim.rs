//! Claims a room type: raises its fencing token after the commits of the old owner.

use std::collections::HashMap;

use uuid::Uuid;

use super::Postgres;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::sql::Columns;
use crate::store::{Claim, Error};

/// Waits for a running commit, which has locked the row.
pub(super) const RAISE: &str = "UPDATE room_types SET fencing_token = $2 WHERE id = $1 AND fencing_token < $2";
pub(super) const TOKENS: &str = "SELECT id, fencing_token FROM room_types WHERE id = ANY($1)";

impl Postgres {
    pub(super) async fn raise_token(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        if self.write(sqlx::query(RAISE).bind(room_type.0).bind(token.0)).await? > 0 {
            return Ok(Claim::Granted);
        }
        let current = self.current_tokens(&[room_type]).await?.remove(&room_type);
        Ok(current.map_or(Claim::NoSuchRoomType, |current| Claim::Stale { current }))
    }

    pub(super) async fn current_tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        let ids: Vec<Uuid> = room_types.iter().map(|id| id.0).collect();
        let rows = self.pool.all(sqlx::query(TOKENS).bind(ids)).await?;
        rows.iter().map(|row| Ok((RoomTypeId(row.uuid("id")?), Token(row.number("fencing_token")?)))).collect()
    }
}

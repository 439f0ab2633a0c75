//! Claims a room type: raises its fencing token between two commits.

use std::collections::HashMap;

use super::Sqlite;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::sql::Columns;
use crate::store::{Claim, Error};

pub(super) const RAISE: &str = "UPDATE room_types SET fencing_token = $2 WHERE id = $1 AND fencing_token < $2";
pub(super) const TOKENS: &str =
    "SELECT id, fencing_token FROM room_types WHERE id IN (SELECT value FROM json_each($1))";

impl Sqlite {
    pub(super) async fn raise_token(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        if self.writer.execute(sqlx::query(RAISE).bind(room_type.to_string()).bind(token.0)).await? > 0 {
            return Ok(Claim::Granted);
        }
        let current = self.current_tokens(&[room_type]).await?.remove(&room_type);
        Ok(current.map_or(Claim::NoSuchRoomType, |current| Claim::Stale { current }))
    }

    pub(super) async fn current_tokens(&self, room_types: &[RoomTypeId]) -> Result<HashMap<RoomTypeId, Token>, Error> {
        let ids = serde_json::Value::from_iter(room_types.iter().map(RoomTypeId::to_string)).to_string();
        let rows = sqlx::query(TOKENS).bind(ids).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((RoomTypeId(row.uuid("id")?), Token(row.number("fencing_token")?)))).collect()
    }
}

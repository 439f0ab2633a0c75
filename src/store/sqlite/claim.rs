//! Claiming a room type: raising its fencing token, in turn with the commits.

use sqlx::Row;

use super::Sqlite;
use crate::domain::RoomTypeId;
use crate::lease::Token;
use crate::store::{Claim, Error};

pub(super) const RAISE: &str = "UPDATE room_types SET fencing_token = $2 WHERE id = $1 AND fencing_token < $2";
const CURRENT: &str = "SELECT fencing_token FROM room_types WHERE id = $1";

impl Sqlite {
    pub(super) async fn raise_token(&self, room_type: RoomTypeId, token: Token) -> Result<Claim, Error> {
        let mut turn = self.writer.turn().await?;
        let raise = sqlx::query(RAISE).bind(room_type.to_string()).bind(token.0);
        let claim = match raise.execute(&mut turn.connection).await?.rows_affected() {
            0 => {
                let current = sqlx::query(CURRENT).bind(room_type.to_string());
                match current.fetch_optional(&mut turn.connection).await? {
                    Some(row) => Claim::Stale { current: Token(row.try_get(0)?) },
                    None => Claim::NoSuchRoomType,
                }
            }
            _ => Claim::Granted,
        };
        turn.give_back();
        Ok(claim)
    }
}

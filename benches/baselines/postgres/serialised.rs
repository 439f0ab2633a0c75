//! Baseline (b): read, check and write in one transaction that locks the room type first.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, Row};

use super::super::entry;
use super::{connect, rows, seen};
use crate::contest::{Seller, StayRequest};

const LOCK: &str = "
    SELECT t.hotel_id, p.id AS rate_plan_id, p.price_minor, t.sequence + 1 AS sequence
    FROM room_types AS t JOIN rate_plans AS p ON p.room_type_id = t.id
    WHERE t.id = $1
    FOR UPDATE OF t";
const FREE: &str = "
    SELECT min(capacity - sold - held) AS free FROM nights WHERE room_type_id = $1 AND date >= $2 AND date < $3";
const TAKE: &str = "UPDATE nights SET sold = sold + $4 WHERE room_type_id = $1 AND date >= $2 AND date < $3";
const COUNT: &str = "UPDATE room_types SET sequence = $2 WHERE id = $1";

pub struct Serialised(PgPool);

impl Serialised {
    pub async fn open(url: &str) -> Self {
        Self(connect(url).await)
    }
}

#[async_trait]
impl Seller for Serialised {
    async fn book(&self, stay_request: StayRequest) -> bool {
        let (id, rooms) = (stay_request.room_type.0, i32::from(stay_request.order.rooms));
        let (from, to) = (stay_request.order.stay.check_in().to_sqlx(), stay_request.order.stay.check_out().to_sqlx());

        let mut transaction = self.0.begin().await.unwrap();
        let row = sqlx::query(LOCK).bind(id).fetch_one(&mut *transaction).await.unwrap();
        let free = sqlx::query(FREE).bind(id).bind(from).bind(to).fetch_one(&mut *transaction).await.unwrap();
        if free.get::<i32, _>("free") < rooms {
            transaction.rollback().await.unwrap();
            return false;
        }
        let seen = seen(&row);
        let sequence = i64::try_from(seen.sequence).unwrap();
        rows::insert(&mut transaction, &[entry(&stay_request, seen)]).await;
        let take = sqlx::query(TAKE).bind(id).bind(from).bind(to).bind(rooms);
        take.execute(&mut *transaction).await.unwrap();
        sqlx::query(COUNT).bind(id).bind(sequence).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        true
    }
}

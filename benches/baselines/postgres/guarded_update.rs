//! Baseline (c): an UPDATE that takes a room only where one is free. It updates as many rows as nights, or nothing.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;

use super::super::entry;
use super::{connect, rows, seen};
use crate::contest::{Seller, StayRequest};

const TAKE: &str = "
    UPDATE nights SET sold = sold + $4
    WHERE room_type_id = $1 AND date >= $2 AND date < $3 AND sold + held + $4 <= capacity";
const COUNT: &str = "
    UPDATE room_types SET sequence = sequence + 1 WHERE id = $1
    RETURNING hotel_id, sequence,
        (SELECT p.id FROM rate_plans AS p WHERE p.room_type_id = room_types.id) AS rate_plan_id,
        (SELECT p.price_minor FROM rate_plans AS p WHERE p.room_type_id = room_types.id) AS price_minor";

pub struct GuardedUpdate(PgPool);

impl GuardedUpdate {
    pub async fn open(url: &str) -> Self {
        Self(connect(url).await)
    }
}

#[async_trait]
impl Seller for GuardedUpdate {
    /// The row of the room type is locked first, so that two guests with overlapping nights do not deadlock.
    async fn book(&self, stay_request: StayRequest) -> bool {
        let mut transaction = self.0.begin().await.unwrap();
        let row = sqlx::query(COUNT).bind(stay_request.room_type.0).fetch_one(&mut *transaction).await.unwrap();
        let stay = stay_request.order.stay;
        let take = sqlx::query(TAKE).bind(stay_request.room_type.0).bind(stay.check_in().to_sqlx());
        let take = take.bind(stay.check_out().to_sqlx()).bind(i32::from(stay_request.order.rooms));
        let taken = take.execute(&mut *transaction).await.unwrap().rows_affected();
        if taken != u64::from(stay.nights()) {
            transaction.rollback().await.unwrap();
            return false;
        }
        rows::insert(&mut transaction, &[entry(&stay_request, seen(&row))]).await;
        transaction.commit().await.unwrap();
        true
    }
}

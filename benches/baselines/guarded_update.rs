//! Baseline (c): an UPDATE that takes a room only where one is free. It updates as many rows as nights, or nothing.

use std::path::Path;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use tokio::sync::Mutex;

use super::{Seen, begin, end, entry, rows};
use crate::contest::{Seller, StayRequest};

const TAKE: &str = "
    UPDATE nights SET sold = sold + $4
    WHERE room_type_id = $1 AND date >= $2 AND date < $3 AND sold + held + $4 <= capacity";
const COUNT: &str = "
    UPDATE room_types SET sequence = sequence + 1 WHERE id = $1
    RETURNING hotel_id, sequence,
        (SELECT p.id FROM rate_plans AS p WHERE p.room_type_id = room_types.id) AS rate_plan_id,
        (SELECT p.price_minor FROM rate_plans AS p WHERE p.room_type_id = room_types.id) AS price_minor";

/// The same fair queue for the one writing connection as in (b), without a read before the write.
pub struct GuardedUpdate(Mutex<SqliteConnection>);

impl GuardedUpdate {
    pub async fn open(path: &Path) -> Self {
        Self(Mutex::new(rows::connect(path).await))
    }
}

#[async_trait]
impl Seller for GuardedUpdate {
    async fn book(&self, stay_request: StayRequest) -> bool {
        let connection = &mut *self.0.lock().await;
        let (room_type, stay) = (stay_request.room_type.to_string(), stay_request.order.stay);

        begin(connection).await;
        let take = sqlx::query(TAKE).bind(&room_type).bind(stay.check_in().to_string());
        let take = take.bind(stay.check_out().to_string()).bind(stay_request.order.rooms);
        let taken = take.execute(&mut *connection).await.unwrap().rows_affected();
        if taken != u64::from(stay.nights()) {
            return end(connection, false).await;
        }
        let row = sqlx::query(COUNT).bind(room_type).fetch_one(&mut *connection).await.unwrap();
        rows::insert(connection, &[entry(&stay_request, Seen::of(&row))]).await;
        end(connection, true).await
    }
}

//! Baseline (b): read, check and write in one transaction that takes the write lock first.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use tokio::sync::Mutex;

use super::{Seen, begin, end, entry, rows, set_sequence};
use crate::contest::{Seller, StayRequest};

const READ: &str = "
    SELECT t.hotel_id, p.id AS rate_plan_id, p.price_minor, t.sequence + 1 AS sequence,
           (SELECT min(n.capacity - n.sold - n.held) FROM nights AS n
            WHERE n.room_type_id = t.id AND n.date >= $2 AND n.date < $3) AS free
    FROM room_types AS t JOIN rate_plans AS p ON p.room_type_id = t.id
    WHERE t.id = $1";
const TAKE: &str = "UPDATE nights SET sold = sold + $4 WHERE room_type_id = $1 AND date >= $2 AND date < $3";

/// Callers wait for the connection in a fair queue, so none polls and none gets SQLITE_BUSY.
pub struct Serialised(Mutex<SqliteConnection>);

impl Serialised {
    pub async fn open(path: &Path) -> Self {
        Self(Mutex::new(rows::connect(path).await))
    }
}

#[async_trait]
impl Seller for Serialised {
    async fn book(&self, stay_request: StayRequest) -> bool {
        let connection = &mut *self.0.lock().await;
        let (room_type, stay) = (stay_request.room_type.to_string(), stay_request.order.stay);
        let (from, to) = (stay.check_in().to_string(), stay.check_out().to_string());

        begin(connection).await;
        let read = sqlx::query(READ).bind(&room_type).bind(&from).bind(&to);
        let row = read.fetch_one(&mut *connection).await.unwrap();
        if row.get::<i64, _>("free") < i64::from(stay_request.order.rooms) {
            return end(connection, false).await;
        }
        let seen = Seen::of(&row);
        let sequence = seen.sequence;
        rows::insert(connection, &[entry(&stay_request, seen)]).await;
        let take = sqlx::query(TAKE).bind(room_type).bind(from).bind(to).bind(stay_request.order.rooms);
        take.execute(&mut *connection).await.unwrap();
        set_sequence(connection, stay_request.room_type, sequence).await;
        end(connection, true).await
    }
}

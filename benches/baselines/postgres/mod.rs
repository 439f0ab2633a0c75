//! The same baselines on PostgreSQL, with as many connections as innkeeper has.

mod guarded_update;
pub mod rows;
mod serialised;

pub use guarded_update::GuardedUpdate;
pub use serialised::Serialised;

use innkeeper::domain::{Amount, HotelId, RatePlanId};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::Seen;

/// The number of connections: innkeeper's default.
const CONNECTIONS: u32 = 16;

async fn connect(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false).connect(url).await.unwrap()
}

/// From a row `hotel_id, rate_plan_id, price_minor, sequence`.
fn seen(row: &PgRow) -> Seen {
    Seen {
        hotel: HotelId(row.get::<Uuid, _>("hotel_id")),
        plan: RatePlanId(row.get::<Uuid, _>("rate_plan_id")),
        price: Amount(row.get("price_minor")),
        sequence: row.get::<i64, _>("sequence").unsigned_abs(),
    }
}

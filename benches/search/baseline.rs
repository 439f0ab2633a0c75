//! The baseline: the same answer from SQL, without an index in memory. It uses the schema's indexes, its own connection with
//! a page cache that holds the city, and a prepared statement. It answers hotels and prices only.

use innkeeper::domain::{Amount, HotelId, Stay, name};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use tokio::sync::Mutex;

use super::{CITY, PAGE, PARTY};

const SEARCH: &str = include_str!("baseline.sql");

pub struct Baseline(Mutex<SqliteConnection>);

impl Baseline {
    pub async fn open(url: &str) -> Self {
        let options: SqliteConnectOptions = url.parse().expect("a URL");
        let options = options.read_only(true).pragma("cache_size", "-262144").pragma("mmap_size", "1073741824");
        Self(Mutex::new(options.connect().await.expect("the file exists")))
    }

    /// The cheapest hotels and their prices.
    pub async fn search(&self, stay: Stay) -> Vec<(HotelId, Amount)> {
        let query = sqlx::query(SEARCH)
            .bind(name::key(CITY))
            .bind(stay.check_in().to_string())
            .bind(stay.check_out().to_string())
            .bind(stay.nights())
            .bind(PARTY.adults)
            .bind(1)
            .bind(PAGE as i64);
        let rows = query.fetch_all(&mut *self.0.lock().await).await.expect("a page");
        let read = |row: &sqlx::sqlite::SqliteRow| {
            (row.get::<&str, _>("hotel_id").parse().expect("an id"), Amount(row.get("total_minor")))
        };
        rows.iter().map(read).collect()
    }
}

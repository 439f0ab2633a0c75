//! The catalogue that is searched: cities of 1,000 hotels × 5 room types × 2 rate plans, written with bulk SQL.
//!
//! In the searched city, each of the next 180 nights has bookings. About a fifth of the nights, four in a row, are sold out.
//! Some nights have restrictions, and weekends have their own prices. In other cities, every ninth night has bookings, and
//! the weekends of one month have prices.

use innkeeper::domain::Date;
use innkeeper::store::Store;
use innkeeper::store::sqlite::Sqlite;
use jiff::civil::date;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

pub const TODAY: Date = date(2026, 5, 1);
/// The searched city and its coordinates.
pub const CITY: &str = "City 0";
pub const LATITUDE: f64 = 10.0;
pub const LONGITUDE: f64 = 20.0;

const HOTELS_OF_A_CITY: u32 = 1_000;

/// `run` and `night` look random and are the same in every run.
const ROWS: &str = "
CREATE TEMP TABLE days AS
    WITH RECURSIVE n(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM n WHERE d < 179)
    SELECT d, date('2026-05-01', '+' || d || ' days') AS date,
           strftime('%w', '2026-05-01', '+' || d || ' days') IN ('5', '6') AS weekend FROM n;
CREATE TEMP TABLE houses AS
    WITH RECURSIVE n(h) AS (SELECT 0 UNION ALL SELECT h + 1 FROM n WHERE h < :hotels - 1)
    SELECT h, h / :city AS c FROM n;
CREATE TEMP TABLE types AS
    SELECT h * 5 + k AS t, h, k, c, 5 + (h * 5 + k) % 20 AS rooms, 6000 + h * 7919 % 200 * 100 + k * 2500 AS price
    FROM houses, (SELECT value AS k FROM json_each('[0,1,2,3,4]'));

INSERT INTO hotels SELECT
    printf('00000000-0000-7000-8000-%012x', h), 'Hotel ' || h, 'City ' || c, 'city ' || c, 'PT', 'Europe/Lisbon', 'EUR',
    '15:00:00', '11:00:00', 10.0 + c % 10 * 2 + (h * 31 % 1000 - 500) / 2500.0,
    20.0 + c / 10 * 2 + (h * 17 % 1000 - 500) / 2500.0, 30, 730, 0
FROM houses ORDER BY h;
INSERT INTO room_types SELECT
    printf('00000000-0000-7000-9000-%012x', t), printf('00000000-0000-7000-8000-%012x', h), 'Room type ' || k,
    1 + k % 3, 1, 2 + k % 3, rooms, 0, 0, 1
FROM types ORDER BY t;
INSERT INTO rate_plans SELECT
    printf('00000000-0000-7000-a000-%012x', t * 2 + p), printf('00000000-0000-7000-9000-%012x', t),
    iif(p, 'Non-refundable', 'Flexible'), iif(p, price * 88 / 100, price),
    '{\"tiers\":[{\"hours_before_check_in\":0,\"fee\":{\"type\":\"none\"}}],\"no_show\":{\"type\":\"nights\",\"nights\":1}}'
FROM types, (SELECT 0 AS p UNION ALL SELECT 1) ORDER BY t, p;
INSERT INTO nights (room_type_id, date, capacity, sold, stop_sell, closed_to_arrival, closed_to_departure,
                    min_nights_arrival, min_nights_through)
SELECT printf('00000000-0000-7000-9000-%012x', t), date, rooms, iif(run % 5 = 0, rooms, night % rooms),
       night / 20 % 100 = 0, night / 2000 % 50 = 0, night / 100000 % 50 = 0, iif(night / 7 % 40 = 0, 2, 0),
       iif(night / 9 % 60 = 0, 3, 0)
FROM (
    SELECT *, x % 1000003 * (x % 999983) / 64 AS run, y % 1000003 * (y % 999983) / 64 AS night
    FROM (SELECT *, t * 7919 + d / 4 * 104729 AS x, t * 6007 + d * 31337 AS y FROM types, days)
    WHERE c = 0 OR d % 9 = t % 9
) ORDER BY t, d;
INSERT INTO rate_nights (rate_plan_id, date, price_minor)
SELECT printf('00000000-0000-7000-a000-%012x', t * 2 + p), date, iif(p, price * 88 / 100, price) * 5 / 4
FROM types, (SELECT 0 AS p UNION ALL SELECT 1), days WHERE weekend AND (c = 0 OR d < 28) ORDER BY t, p, d;
";

/// Writes the catalogue into a new file.
pub async fn write(url: &str) {
    let hotels = std::env::var("INNKEEPER_BENCH_HOTELS").ok().and_then(|hotels| hotels.parse().ok()).unwrap_or(2_000);
    let store = Sqlite::open(url, true).await.expect("a new file");
    store.migrate().await.expect("a new schema");
    store.close().await.expect("no other process uses it");
    let options: SqliteConnectOptions = url.parse().expect("a URL");
    let mut connection = options.connect().await.expect("the file exists");
    let rows =
        ROWS.replace(":hotels", &u32::max(hotels, 1).to_string()).replace(":city", &HOTELS_OF_A_CITY.to_string());
    let script = format!("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {rows} PRAGMA journal_mode = WAL;");
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.expect("the rows are valid");
    for table in ["hotels", "room_types", "rate_plans", "nights", "rate_nights"] {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a table");
        println!("{table}: {count} rows");
    }
}

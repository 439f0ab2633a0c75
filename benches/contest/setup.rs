//! The setup of a bench: fresh hotels in a fresh database, with more rooms than any bench sells.

use innkeeper::app::open_store;
use innkeeper::clock::{Clock, IdSource, System};
use innkeeper::domain::{CancellationPolicy, Contact, Date, Guest, Mobile, Order, PlanChoice, RoomTypeId, Stay};
use innkeeper::engine::Key;
use innkeeper::store::{Fingerprint, KeyDigest};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::StayRequest;
use super::database::BenchDatabase;
use super::web::config;
use crate::baselines::{postgres, rows};

/// Rooms of each type. No booking is refused in a bench of any length.
const ROOMS: u16 = 50_000;
/// The number of nights on sale, from tomorrow on.
const NIGHTS: i64 = 700;
const FIRST_ROOM_TYPE: u128 = 1 << 64;

/// `?1` hotels of one room type each. The numbers are the ids.
const CATALOGUE: &str = "
    WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < $1)
    INSERT INTO hotels
    SELECT printf('00000000-0000-0000-0000-%012x', n), 'Hotel ' || n, 'City ' || (n % 100), 'city ' || (n % 100), 'PT',
           'Europe/Lisbon', 'EUR', '15:00:00', '11:00:00', NULL, NULL, 30, 730, 0
    FROM number;
    WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < $1)
    INSERT INTO room_types
    SELECT printf('00000000-0000-0001-0000-%012x', n), printf('00000000-0000-0000-0000-%012x', n), 'Double', 2, 2, 4,
           $2, 0, 0, 0
    FROM number;
    WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < $1)
    INSERT INTO rate_plans
    SELECT printf('00000000-0000-0002-0000-%012x', n), printf('00000000-0000-0001-0000-%012x', n), 'Flexible', 10000,
           $3
    FROM number;";

/// Rows of all nights, so that no contender has to insert them.
const OPEN: &str = "
    WITH RECURSIVE night(date, left) AS (
        SELECT $2, $3 UNION ALL SELECT date(date, '+1 day'), left - 1 FROM night WHERE left > 1
    )
    INSERT INTO nights (room_type_id, date, capacity) SELECT $1, date, $4 FROM night;";

/// The same on PostgreSQL. Every statement gets all parameters and uses some of them.
const CATALOGUE_ON_POSTGRES: [&str; 3] = [
    "INSERT INTO hotels
     SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Hotel ' || n, 'City ' || n % 100,
            'city ' || n % 100, 'PT', 'Europe/Lisbon', 'EUR', '15:00:00', '11:00:00', NULL, NULL, 30, 730
     FROM generate_series(0, $1::bigint - 1) AS n WHERE $2::integer > 0 AND $3::jsonb IS NOT NULL",
    "INSERT INTO room_types
     SELECT ('00000000-0000-0001-0000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Double', 2, 2, 4, $2::integer, 0, 0, 0
     FROM generate_series(0, $1::bigint - 1) AS n WHERE $3::jsonb IS NOT NULL",
    "INSERT INTO rate_plans
     SELECT ('00000000-0000-0002-0000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-0001-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Flexible', 10000, $3::jsonb
     FROM generate_series(0, $1::bigint - 1) AS n WHERE $2::integer > 0",
];
const OPEN_ON_POSTGRES: &str = "
    INSERT INTO nights (room_type_id, date, capacity) SELECT $1, $2::date + n, $4 FROM generate_series(0, $3 - 1) AS n";

/// The database and catalogue of a contest. Dropping it deletes the file.
pub struct BenchSetup {
    pub database: BenchDatabase,
    /// The room types that guests book.
    pub room_types: Vec<RoomTypeId>,
    /// The first night on sale.
    pub tomorrow: Date,
}

impl BenchSetup {
    /// A catalogue of room types, of which guests book `wanted`, spread evenly over it.
    pub async fn open(catalogue: usize, wanted: usize) -> Self {
        Self::open_on(BenchDatabase::new().await, catalogue, wanted).await
    }

    pub async fn open_on(database: BenchDatabase, catalogue: usize, wanted: usize) -> Self {
        let tomorrow = System.now().to_zoned(TimeZone::UTC).date().saturating_add(SignedDuration::from_hours(24));
        let room_type = |n: usize| RoomTypeId(Uuid::from_u128(FIRST_ROOM_TYPE + (n * (catalogue / wanted)) as u128));
        let setup = Self { database, room_types: (0..wanted).map(room_type).collect(), tomorrow };
        setup.fill(catalogue).await;
        setup
    }

    async fn fill(&self, catalogue: usize) {
        let store = open_store(&config(self), true).await.unwrap();
        store.close().await.unwrap();
        match &self.database {
            BenchDatabase::Sqlite(_) => self.fill_sqlite(catalogue).await,
            BenchDatabase::Postgres(url) => self.fill_postgres(url, catalogue).await,
        }
    }

    async fn fill_sqlite(&self, catalogue: usize) {
        let mut connection = rows::connect(&self.database.path()).await;
        let policy = serde_json::to_string(&CancellationPolicy::flexible()).unwrap();
        let fill = sqlx::query(CATALOGUE).bind(catalogue as i64).bind(ROOMS).bind(policy);
        fill.execute(&mut connection).await.unwrap();
        for room_type in &self.room_types {
            let open = sqlx::query(OPEN).bind(room_type.to_string()).bind(self.tomorrow.to_string());
            open.bind(NIGHTS + 3).bind(ROOMS).execute(&mut connection).await.unwrap();
        }
    }

    async fn fill_postgres(&self, url: &str, catalogue: usize) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        postgres::rows::prepare(&mut connection).await;
        for table in CATALOGUE_ON_POSTGRES {
            let fill = sqlx::query(table).bind(catalogue as i64).bind(i32::from(ROOMS));
            fill.bind(Json(CancellationPolicy::flexible())).execute(&mut connection).await.unwrap();
        }
        for room_type in &self.room_types {
            let open = sqlx::query(OPEN_ON_POSTGRES).bind(room_type.0).bind(self.tomorrow.to_sqlx());
            open.bind((NIGHTS + 3) as i32).bind(i32::from(ROOMS)).execute(&mut connection).await.unwrap();
        }
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Two guests want one room of any of the wanted types, for one to three nights.
    pub fn stay_request(&self) -> StayRequest {
        let room_type = self.room_types[fastrand::usize(..self.room_types.len())];
        let day = |days: i64| self.tomorrow.saturating_add(SignedDuration::from_hours(24 * days));
        let first = fastrand::i64(0..NIGHTS);
        let order = Order {
            rate_plan: PlanChoice::Only,
            stay: Stay::new(day(first), day(first + fastrand::i64(1..=3))).unwrap(),
            rooms: 1,
            guests: ["Ana Lopes", "Rui Lopes"].map(|name| Guest::new(name, 34).unwrap()).into(),
            services: Vec::new(),
            contact: Contact { mobile: Mobile::parse("+351912345678").unwrap(), email: None },
            external_reference: None,
            hold: false,
            expected_sequence: None,
            expected_on_sale: None,
            agreed_price: None,
            hold_share: None,
            forced_by: None,
        };
        StayRequest { room_type, order, key: Some(fresh_key()) }
    }
}

fn fresh_key() -> Key {
    let digest = Sha256::digest(System.next());
    Key { digest: KeyDigest(digest.into()), fingerprint: Fingerprint([9; 32]) }
}

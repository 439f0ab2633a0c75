//! A fresh hotel in a fresh file on the disk of the build, with more rooms than any bench sells.

use std::path::PathBuf;

use innkeeper::clock::{Clock, IdSource, System};
use innkeeper::domain::{CancellationPolicy, Contact, Date, Guest, Mobile, Order, RoomTypeId, Stay};
use innkeeper::engine::Key;
use innkeeper::store::sqlite::Sqlite;
use innkeeper::store::{Fingerprint, KeyDigest, Store};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::Wish;
use crate::baselines::rows;

/// Rooms of each type: nobody is refused, however long a bench runs.
const ROOMS: u16 = 50_000;
/// Nights that are sold, from tomorrow on.
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

/// Nights that have been touched before: every contender finds its row.
const OPEN: &str = "
    WITH RECURSIVE night(date, left) AS (
        SELECT $2, $3 UNION ALL SELECT date(date, '+1 day'), left - 1 FROM night WHERE left > 1
    )
    INSERT INTO nights (room_type_id, date, capacity) SELECT $1, date, $4 FROM night;";

/// Where a contest takes place. The file goes when it goes.
pub struct House {
    folder: TempDir,
    /// Those that guests want.
    pub room_types: Vec<RoomTypeId>,
    tomorrow: Date,
}

impl House {
    /// A catalogue of room types, of which guests want `wanted`, spread evenly over it.
    pub async fn open(catalogue: usize, wanted: usize) -> Self {
        // Beside the build, because /tmp may be memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let tomorrow = System.now().to_zoned(TimeZone::UTC).date().saturating_add(SignedDuration::from_hours(24));
        let room_type = |n: usize| RoomTypeId(Uuid::from_u128(FIRST_ROOM_TYPE + (n * (catalogue / wanted)) as u128));
        let house = Self { folder, room_types: (0..wanted).map(room_type).collect(), tomorrow };
        house.fill(catalogue).await;
        house
    }

    async fn fill(&self, catalogue: usize) {
        let store = Sqlite::open(&self.url(), true).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        let mut connection = rows::connect(&self.path()).await;
        let policy = serde_json::to_string(&CancellationPolicy::flexible()).unwrap();
        let fill = sqlx::query(CATALOGUE).bind(catalogue as i64).bind(ROOMS).bind(policy);
        fill.execute(&mut connection).await.unwrap();
        for room_type in &self.room_types {
            let open = sqlx::query(OPEN).bind(room_type.to_string()).bind(self.tomorrow.to_string());
            open.bind(NIGHTS + 3).bind(ROOMS).execute(&mut connection).await.unwrap();
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("contest.db")
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    /// Two guests want one room of any of the wanted types, for one to three nights.
    pub fn wish(&self) -> Wish {
        let room_type = self.room_types[fastrand::usize(..self.room_types.len())];
        let day = |days: i64| self.tomorrow.saturating_add(SignedDuration::from_hours(24 * days));
        let first = fastrand::i64(0..NIGHTS);
        let order = Order {
            rate_plan: None,
            stay: Stay::new(day(first), day(first + fastrand::i64(1..=3))).unwrap(),
            rooms: 1,
            guests: ["Ana Lopes", "Rui Lopes"].map(|name| Guest::new(name, 34).unwrap()).into(),
            services: Vec::new(),
            contact: Contact { mobile: Mobile::parse("+351912345678").unwrap(), email: None },
            external_reference: None,
            hold: false,
            expected_sequence: None,
            agreed_price: None,
        };
        Wish { room_type, order, key: Some(fresh_key()) }
    }
}

fn fresh_key() -> Key {
    let digest = Sha256::digest(System.next());
    Key { digest: KeyDigest(digest.into()), fingerprint: Fingerprint([9; 32]) }
}

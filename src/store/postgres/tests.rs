//! Query plans of PostgreSQL: no list and no statement of the hot path reads a large table whole.

#[path = "../../../tests/support/postgres_server.rs"]
#[allow(dead_code, reason = "nothing is killed here")]
mod server;

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{DIALECT, Options, Postgres, claim, commit, feed, idempotency, journal, load, migrate, session};
use crate::domain::{Date, HotelId, RoomTypeId};
use crate::store::records::{bookings, room_types, statements};
use crate::store::{BookingFilter, Page, Store, db};
use server::Server;

/// 5,000 hotels in 500 cities, 200 of them with 5 room types and plans, 40 nights and 60 bookings of each of those.
const TOWN: &str = "
    CREATE FUNCTION id(number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
        $$ SELECT lpad(to_hex(number), 32, '0')::uuid $$;
    INSERT INTO hotels SELECT id(h), 'Casa', 'Lisbon', 'lisbon ' || h % 500, 'PT', 'Europe/Lisbon', 'EUR', '15:00:00',
        '11:00:00', NULL, NULL, 30, 730 FROM generate_series(1, 5000) AS h;
    INSERT INTO services SELECT id(h), id(h), 'Breakfast', 'per_night', 900 FROM generate_series(1, 5000) AS h;
    INSERT INTO room_types SELECT id(t), id(1 + t % 200), 'Double', 2, 1, 3, 10, 0, 1, 60
        FROM generate_series(1, 1000) AS t;
    INSERT INTO rate_plans SELECT id(t), id(t), 'Flexible', 10000, '{}' FROM generate_series(1, 1000) AS t;
    INSERT INTO rate_nights SELECT id(t), date '2026-05-01' + n
        FROM generate_series(1, 1000) AS t, generate_series(1, 40) AS n;
    INSERT INTO nights (room_type_id, date, capacity, sold) SELECT id(t), date '2026-05-01' + n, 10, 1
        FROM generate_series(1, 1000) AS t, generate_series(1, 40) AS n;
    INSERT INTO bookings SELECT id(b), id(1 + b % 1000 % 200), id(1 + b % 1000), id(1 + b % 1000),
        (ARRAY['held', 'in_house', 'no_show'])[CASE WHEN b % 50 = 0 THEN 1 WHEN b % 50 = 1 THEN 2 ELSE 3 END], 0, NULL, 0,
        date '2026-05-01' + (b % 97)::integer, date '2026-05-02' + (b % 97)::integer, 1, '[]', '+3519' || b,
        'guest' || b || '@example.com', 'OTA-' || b, '{}', 'EUR', 0, 0, 1 + b / 1000
        FROM generate_series(1, 60000) AS b;
    INSERT INTO booking_guests SELECT id(b), 0, 'Ana', 34 FROM generate_series(1, 60000) AS b;
    INSERT INTO booking_services SELECT id(b), 0, id(1 + b % 200), 'Breakfast', 'per_night', 900, 1, 900
        FROM generate_series(1, 60000) AS b;
    INSERT INTO events SELECT b, id(1 + b % 1000), 1 + b / 1000, id(b), b, 'booked', id(b), '{}'
        FROM generate_series(1, 60000) AS b;
    INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
        SELECT sha256(b::text::bytea), '', 'booking', '{}', b FROM generate_series(1, 60000) AS b;
    INSERT INTO jobs (kind, tenant, payload, max_attempts, dedup_key, next_at, created_at)
        SELECT 'mail', id(1 + b % 1000 % 200), '{}', 20, b::text, 0, 0 FROM generate_series(1, 60000) AS b;
    UPDATE event_positions SET base = 0;
    ;;
VACUUM ANALYZE";

/// Makes the planner's statistics the same in every run. The sample is 300 times the target, so it has every row of the
/// largest table, and autovacuum takes no other sample.
const SAME_STATISTICS: &str = "
default_statistics_target = 250
autovacuum = off
";

static TOWN_SERVER: OnceCell<Server> = OnceCell::const_new();

/// A connection to the test database, with the settings of commits or of other statements. Its plans are made for any
/// argument.
async fn connection(committing: bool) -> PgConnection {
    let server = TOWN_SERVER.get_or_init(build).await;
    let options: PgConnectOptions = server.url("postgres").parse().unwrap();
    let options = match committing {
        true => session::committing(options, Duration::from_secs(5)),
        false => session::asking(options, Duration::from_secs(5)).with([("plan_cache_mode", "force_generic_plan")]),
    };
    options.connect().await.unwrap()
}

async fn build() -> Server {
    let server = Server::start(SAME_STATISTICS);
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let empty = ["CREATE DATABASE empty"];
    for statement in empty.into_iter().chain(migrate::STEPS.map(|(.., step)| step)).chain(TOWN.split(";;\n")) {
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    server
}

/// The nodes of a statement's plan.
async fn plan(connection: &mut PgConnection, sql: &str) -> Vec<Value> {
    // A parameter gets its type from its use, so an unused one is given a type.
    let is_used = |number: &usize| sql.contains(&format!("${number}"));
    let parameters = (1..100).filter(is_used).max().unwrap_or(0);
    let kind = |number| if is_used(&number) { "unknown" } else { "text" };
    let list = |items: Vec<&str>| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
    let (kinds, nothing) = (list((1..=parameters).map(kind).collect()), list(vec!["NULL"; parameters]));
    let prepare = format!("PREPARE question{kinds} AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE question{nothing}");
    let row = sqlx::query(AssertSqlSafe(explain)).fetch_one(&mut *connection).await.unwrap();
    sqlx::raw_sql("DEALLOCATE question").execute(&mut *connection).await.unwrap();
    let mut nodes = Vec::new();
    collect(&row.get::<Value, _>(0)[0]["Plan"], &mut nodes);
    nodes
}

fn collect(node: &Value, nodes: &mut Vec<Value>) {
    nodes.push(node.clone());
    for child in node["Plans"].as_array().into_iter().flatten() {
        collect(child, nodes);
    }
}

/// Tables whose CHECK allows them one row.
const ONE_ROW: [&str; 3] = ["event_positions", "event_trim", "installation"];

/// The nodes that read a whole table or a whole index.
fn scans(nodes: &[Value]) -> Vec<String> {
    let is_scan = |node: &&Value| match node["Node Type"].as_str() {
        Some("Seq Scan") => !ONE_ROW.contains(&node["Relation Name"].as_str().unwrap_or_default()),
        Some("Index Scan" | "Index Only Scan" | "Bitmap Index Scan") => node["Index Cond"].is_null(),
        _ => false,
    };
    let name = |node: &Value| ["Node Type", "Relation Name", "Index Name"].map(|key| node[key].to_string()).join(" ");
    nodes.iter().filter(is_scan).map(name).collect()
}

#[rstest]
#[case::check(commit::CHECK)]
#[case::check_unlocked(commit::CHECK_UNLOCKED)]
#[case::write(commit::WRITE)]
#[case::free(commit::FREE)]
#[case::forget(commit::FORGET)]
#[tokio::test]
async fn no_statement_of_a_commit_reads_a_whole_table(#[case] sql: &str) {
    let nodes = plan(&mut connection(true).await, sql).await;
    assert_eq!(scans(&nodes), Vec::<String>::new(), "{nodes:#?}");
}

#[tokio::test]
async fn no_step_of_changed_settings_reads_a_whole_table() {
    let mut connection = connection(true).await;
    for sql in commit::STEPS {
        let nodes = plan(&mut connection, sql).await;
        assert_eq!(scans(&nodes), Vec::<String>::new(), "{sql}: {nodes:#?}");
    }
}

#[rstest]
#[case::claim(claim::RAISE)]
#[case::tokens(claim::TOKENS)]
#[case::load(load::ROOM_TYPE)]
#[case::services(load::SERVICES)]
#[case::holds(load::HOLDS)]
#[case::committed(journal::COMMITTED)]
#[case::recall(idempotency::RECALL)]
#[case::events_of_room_type(feed::OF_ROOM_TYPE)]
#[case::events(feed::OF_ALL)]
#[case::oldest_events(feed::OLDEST)]
#[case::changed_hotels(feed::CHANGED_HOTELS)]
#[case::end_of_events(feed::END)]
#[case::turn_to_trim(feed::TURN)]
#[case::trim(feed::TRIM)]
#[case::trimmed_to(feed::TRIMMED_TO)]
#[tokio::test]
async fn no_other_statement_reads_a_whole_table(#[case] sql: &str) {
    let nodes = plan(&mut connection(false).await, sql).await;
    assert_eq!(scans(&nodes), Vec::<String>::new(), "{nodes:#?}");
}

#[tokio::test]
async fn no_statement_of_both_databases_reads_a_whole_table() {
    let mut connection = connection(false).await;
    for (name, sql) in statements::all(&DIALECT) {
        let nodes = plan(&mut connection, &sql).await;
        assert_eq!(scans(&nodes), Vec::<String>::new(), "{name}: {nodes:#?}");
    }
}

#[tokio::test]
async fn the_holds_of_all_room_types_are_read_from_an_index_of_holds() {
    let nodes = plan(&mut connection(false).await, &room_types::with_holds_text(&DIALECT)).await;
    assert!(nodes.iter().any(|node| node["Index Name"] == "bookings_held"), "{nodes:#?}");
}

#[tokio::test]
async fn what_belongs_to_something_is_found_there() {
    let mut connection = connection(false).await;
    for (sql, index) in statements::LISTS {
        let nodes = plan(&mut connection, sql).await;
        assert!(nodes.iter().any(|node| node["Index Name"] == index), "{nodes:#?}");
    }
}

/// A database whose statistics show only empty tables.
async fn empty() -> PgConnectOptions {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let options: PgConnectOptions = TOWN_SERVER.get_or_init(build).await.url("empty").parse().unwrap();
    let make = || async {
        let mut connection = options.connect().await.unwrap();
        for statement in migrate::STEPS.map(|(.., step)| step).into_iter().chain(["VACUUM ANALYZE"]) {
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        }
    };
    MADE.get_or_init(make).await;
    options
}

/// A commit is planned once, possibly while the tables are empty, and the plan is used until the next ANALYZE.
#[rstest]
#[case::check(commit::CHECK)]
#[case::check_unlocked(commit::CHECK_UNLOCKED)]
#[case::write(commit::WRITE)]
#[case::forget(commit::FORGET)]
#[tokio::test]
async fn a_commit_that_was_planned_while_the_tables_were_empty_reads_no_whole_table_later(#[case] sql: &str) {
    let mut connection = session::committing(empty().await, Duration::from_secs(5)).connect().await.unwrap();
    let nodes = plan(&mut connection, sql).await;
    assert_eq!(scans(&nodes), Vec::<String>::new(), "{nodes:#?}");
}

/// Nearly every request looks up a key. A planner that has seen only an empty table prefers to scan all unexpired keys,
/// and planning each time takes longer than the look-up.
#[tokio::test]
async fn a_key_is_looked_up_by_a_plan_made_once_even_if_there_were_no_keys_then() {
    let mut connection = session::asking(empty().await, Duration::from_secs(5)).connect().await.unwrap();
    // From the sixth time on a statement may be planned once.
    let prepare = format!("PREPARE recall (bytea[], bigint) AS {}", idempotency::RECALL);
    for statement in std::iter::once(prepare.as_str()).chain(["EXECUTE recall ('{}', 0)"; 5]) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
    let explain = sqlx::query("EXPLAIN (FORMAT JSON) EXECUTE recall ('{}', 0)");
    let row = explain.fetch_one(&mut connection).await.unwrap();
    let mut nodes = Vec::new();
    collect(&row.get::<Value, _>(0)[0]["Plan"], &mut nodes);
    assert!(nodes.iter().any(|node| node["Index Name"] == "idempotency_records_pkey"), "{nodes:#?}");
    let once = sqlx::query_scalar("SELECT generic_plans FROM pg_prepared_statements WHERE name = 'recall'");
    let once: i64 = once.fetch_one(&mut connection).await.unwrap();
    assert_eq!(once, 1, "{nodes:#?}");
}

#[tokio::test]
async fn it_keeps_the_promises_of_every_database() {
    let server = TOWN_SERVER.get_or_init(build).await;
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::raw_sql("CREATE DATABASE promises").execute(&mut connection).await.unwrap();
    let postgres = Postgres::open(&server.url("promises"), true, Options::default()).await.unwrap();
    postgres.migrate().await.unwrap();
    db::tests::all(&postgres).await;
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn a_scan_is_seen() {
    let nodes = plan(&mut connection(false).await, "SELECT * FROM bookings WHERE rooms = 3").await;
    assert_eq!(scans(&nodes).len(), 1, "{nodes:#?}");
}

/// A filter for each combination of members: the bits of the number.
fn filter(number: u32) -> BookingFilter {
    let with = |bit: u32| number & (1 << bit) != 0;
    let contact = if with(6) { "ana@example.com" } else { "+351912345678" };
    BookingFilter {
        hotel: with(0).then_some(HotelId(Uuid::nil())),
        room_type: with(1).then_some(RoomTypeId(Uuid::nil())),
        status: with(2).then_some("in_house"),
        arrival: with(3).then_some(Date::MIN)..with(4).then_some(Date::MAX),
        contact: with(5).then(|| contact.to_owned()),
        external_reference: with(7).then(|| "OTA-77".to_owned()),
    }
}

/// A list of bookings.
fn list(filter: &BookingFilter) -> String {
    bookings::list_statement(&DIALECT, filter, Page { after: None, limit: 100 }).text.into_owned()
}

#[tokio::test]
async fn every_list_is_read_through_an_index() {
    let mut connection = connection(false).await;
    for number in 0..1 << 8 {
        let sql = list(&filter(number));
        let nodes = plan(&mut connection, sql.as_str()).await;
        assert_eq!(scans(&nodes), Vec::<String>::new(), "{:?}: {nodes:#?}", filter(number));
    }
}

#[rstest]
#[case(0b00_0001, &["bookings_by_hotel"])]
#[case(0b00_0010, &["bookings_by_room_type"])]
#[case(0b00_0101, &["bookings_by_hotel_and_status"])]
#[case(0b01_1001, &["bookings_by_arrival"])]
#[case(0b10_0000, &["bookings_by_mobile"])]
#[case(0b110_0000, &["bookings_by_email"])]
#[case(0b1000_0000, &["bookings_by_reference"])]
#[tokio::test]
async fn what_a_desk_asks_for_is_found_where_it_stands(#[case] number: u32, #[case] found: &[&str]) {
    let sql = list(&filter(number));
    let nodes = plan(&mut connection(false).await, sql.as_str()).await;
    let used = |index: &&str| nodes.iter().any(|node| node["Index Name"] == *index);
    assert!(found.iter().any(used), "{nodes:#?}");
}

/// The same nights as in the test of this name for SQLite.
#[tokio::test]
async fn an_allowance_that_a_forced_change_brought_becomes_an_exception_for_the_guests() {
    let options: PgConnectOptions = TOWN_SERVER.get_or_init(build).await.url("postgres").parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE DATABASE older").execute(&mut connection).await.unwrap();
    let mut connection = options.database("older").connect().await.unwrap();
    for (.., step) in &migrate::STEPS[..2] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let before = r#"
        INSERT INTO hotels VALUES ('00000000-0000-0000-0000-000000000001', 'Casa', 'Lisbon', 'lisbon', 'PT',
            'Europe/Lisbon', 'EUR', '15:00:00', '11:00:00', NULL, NULL, 30, 730);
        INSERT INTO room_types SELECT id, id, 'Double', 2, 1, 3, 3, 0, 1, 2 FROM hotels;
        INSERT INTO nights (room_type_id, date, out_of_order, allowance, capacity, sold)
            SELECT id, night.* FROM room_types, (VALUES (date '2026-05-01', 2, 2, 3, 3), (date '2026-05-02', 0, 2, 5, 3),
                (date '2026-05-03', 0, 1, 4, 4)) AS night;
        INSERT INTO events (position, room_type_id, sequence, fact_id, at, cause, payload)
            SELECT told.sequence, id, told.sequence, gen_random_uuid(), 0, 'nights_set', told.payload::jsonb
            FROM room_types, (VALUES
                (1, '{"nights": [["2026-05-03", {"allowance": 1}]], "forced_by": null}'),
                (2, '{"nights": [["2026-05-01", {"allowance": 2}], ["2026-05-02", {"allowance": 2}],
                    ["2026-05-03", {"allowance": 1}]], "forced_by": "Rui"}')) AS told (sequence, payload);"#;
    sqlx::raw_sql(before).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(migrate::STEPS[2].2).execute(&mut connection).await.unwrap();
    let rows = sqlx::query("SELECT allowance, capacity, sold, forced FROM nights ORDER BY date");
    let night = |row: PgRow| (row.get("allowance"), row.get("capacity"), row.get("sold"), row.get("forced"));
    let nights: Vec<(Option<i32>, i32, i32, i32)> =
        rows.fetch_all(&mut connection).await.unwrap().into_iter().map(night).collect();
    assert_eq!(nights, [(None, 1, 3, 2), (None, 3, 3, 0), (Some(1), 4, 4, 0)]);
}

/// The same as in the test of this name for SQLite. Large tables keep their files: no row is rewritten.
#[tokio::test]
async fn records_and_events_survive_the_step_to_general_records_and_jobs_do_not() {
    let options: PgConnectOptions = TOWN_SERVER.get_or_init(build).await.url("postgres").parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE DATABASE specific").execute(&mut connection).await.unwrap();
    let mut connection = options.database("specific").connect().await.unwrap();
    for (.., step) in &migrate::STEPS[..5] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let before = r#"
        SET session_replication_role = replica; -- no foreign keys
        CREATE TEMP TABLE named AS SELECT gen_random_uuid() AS id;
        INSERT INTO attempts SELECT '\x07', '\x09', id, id, '{"id": "b"}', 5 FROM named;
        INSERT INTO jobs (kind, booking_id, dedup_key, next_at) SELECT 'mail', id, 'mail:b', 0 FROM named;
        INSERT INTO events SELECT 8, id, 1, id, 0, 'booked', id, '{}' FROM named;"#;
    sqlx::raw_sql(before).execute(&mut connection).await.unwrap();
    let file = async |connection: &mut PgConnection, table: &str| -> Option<i64> {
        let file = sqlx::query_scalar("SELECT pg_relation_filenode($1::regclass)::bigint").bind(table);
        file.fetch_one(connection).await.unwrap()
    };
    let files = [file(&mut connection, "attempts").await, file(&mut connection, "events").await];
    sqlx::raw_sql(migrate::STEPS[5].2).execute(&mut connection).await.unwrap();
    assert_eq!(files, [file(&mut connection, "idempotency_records").await, file(&mut connection, "events").await]);
    let left = r"
        SELECT kind || answer || expires_at || ' ' || (SELECT count(*) FROM jobs) || ' '
            || (SELECT position || ' ' || sequence || cause FROM events)
        FROM idempotency_records WHERE key = '\x07' AND fingerprint = '\x09' AND principal IS NULL";
    let left: String = sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, r#"booking{"id": "b"}5 0 8 1booked"#);
}

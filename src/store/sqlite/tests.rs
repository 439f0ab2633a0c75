//! Query plans of SQLite: no list and no statement of the hot path reads a whole table.

use rstest::rstest;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::{DIALECT, Sqlite, claim, commit, feed, idempotency, journal, load, migrate};
use crate::domain::{Date, HotelId, RoomTypeId};
use crate::store::records::{bookings, room_types, statements};
use crate::store::{BookingFilter, Page, Store, db};

/// The steps of the plans of all statements in a text. Foreign keys are off: with them, SQLite also plans the search
/// for children of a new parent. It runs that search only while a reference is broken (`OP_FkIfZero`), which is
/// impossible here.
async fn plans(sql: &str) -> Vec<String> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql("PRAGMA foreign_keys = off").execute(&mut connection).await.unwrap();
    for (.., step) in migrate::STEPS {
        sqlx::raw_sql(step).execute(&mut connection).await.unwrap();
    }
    let mut steps = Vec::new();
    for statement in sql.split(";\n").filter(|statement| statement.lines().any(is_sql)) {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        for row in sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap() {
            steps.push(row.get("detail"));
        }
    }
    steps
}

fn is_sql(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with("--") && !line.starts_with("BEGIN")
}

/// A table whose CHECK allows it one row, and its alias.
const ONE_ROW: [&str; 2] = ["event_trim", "trim"];

/// The steps that read a whole table or a whole index. JSON arguments and materialized subqueries are no tables.
fn scans(steps: &[String]) -> Vec<&String> {
    let made = |name: &str| {
        steps.iter().any(|step| *step == format!("MATERIALIZE {name}") || *step == format!("CO-ROUTINE {name}"))
    };
    let scan = |step: &&String| match step.strip_prefix("SCAN ") {
        Some("CONSTANT ROW") | None => false,
        Some(what) => {
            let name = what.split(' ').next().unwrap_or_default();
            !what.contains("VIRTUAL TABLE") && !made(name) && !ONE_ROW.contains(&name)
        }
    };
    steps.iter().filter(scan).collect()
}

#[rstest]
#[case::commit_check(commit::CHECK)]
#[case::commit_write(commit::WRITE)]
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
#[case::end(feed::END)]
#[case::trim(feed::TRIM)]
#[tokio::test]
async fn no_statement_reads_a_whole_table(#[case] sql: &str) {
    let steps = plans(sql).await;
    assert!(!steps.is_empty(), "{sql}");
    assert_eq!(scans(&steps), Vec::<&String>::new(), "{steps:#?}");
}

#[tokio::test]
async fn no_statement_of_both_databases_reads_a_whole_table() {
    for (name, sql) in statements::all(&DIALECT) {
        let steps = plans(&sql).await;
        // A row that is only inserted is not looked for.
        assert!(!steps.is_empty() || sql.contains("VALUES"), "{name}: {sql}");
        assert_eq!(scans(&steps), Vec::<&String>::new(), "{name}: {steps:#?}");
    }
}

#[tokio::test]
async fn the_holds_of_all_room_types_are_read_from_an_index_of_holds() {
    let steps = plans(&room_types::with_holds_text(&DIALECT)).await;
    assert_eq!(steps, ["SCAN bookings USING COVERING INDEX bookings_held"]);
}

#[tokio::test]
async fn what_belongs_to_something_is_found_there() {
    for (sql, index) in statements::LISTS {
        let steps = plans(sql).await;
        assert!(steps.iter().any(|step| step.contains(&format!("INDEX {index} "))), "{steps:#?}");
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_every_database() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&format!("sqlite://{}/hotel.db", folder.path().display()), true).await.unwrap();
    sqlite.migrate().await.unwrap();
    db::tests::all(&sqlite).await;
    sqlite.close().await.unwrap();
}

#[tokio::test]
async fn a_scan_is_seen() {
    let steps = plans("SELECT * FROM bookings WHERE rooms = 3").await;
    assert_eq!(scans(&steps), ["SCAN bookings"]);
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
    for number in 0..1 << 8 {
        let filter = filter(number);
        let sql = list(&filter);
        let steps = plans(&sql).await;
        // Without a hotel in the filter, every hotel is read in turn.
        let hotels = |step: &&&String| !step.starts_with("SCAN hotels USING COVERING INDEX");
        assert_eq!(scans(&steps).iter().filter(hotels).count(), 0, "{filter:?}: {steps:#?}");
        let index = bookings::index(&filter).map_or("PRIMARY KEY".to_owned(), |index| format!("INDEX {index} "));
        assert!(
            steps.iter().any(|step| step.starts_with("SEARCH b") && step.contains(&index)),
            "{filter:?}: {steps:#?}"
        );
    }
}

#[rstest]
#[case(0b00_0001, "bookings_by_hotel (hotel_id=? AND id>?)")]
#[case(0b00_0010, "bookings_by_room_type (room_type_id=? AND id>?)")]
#[case(0b00_0100, "bookings_by_status (status=? AND id>?)")]
#[case(0b00_0101, "bookings_by_hotel_and_status (hotel_id=? AND status=? AND id>?)")]
#[case(0b00_0110, "bookings_by_hotel_and_status (hotel_id=? AND status=? AND id>?)")]
#[case(0b01_1001, "bookings_by_arrival (hotel_id=? AND check_in>? AND check_in<?)")]
#[case(0b01_1010, "bookings_by_arrival (hotel_id=? AND check_in>? AND check_in<?)")]
#[case(0b01_1000, "bookings_by_arrival (hotel_id=? AND check_in>? AND check_in<?)")]
#[case(0b10_0000, "bookings_by_mobile (mobile=? AND id>?)")]
#[case(0b110_0000, "bookings_by_email (<expr>=? AND id>?)")]
#[case(0b1000_0000, "bookings_by_reference (external_reference=? AND id>?)")]
#[tokio::test]
async fn what_a_desk_asks_for_is_found_where_it_stands(#[case] number: u32, #[case] found: &str) {
    let sql = list(&filter(number));
    let steps = plans(&sql).await;
    assert!(steps.iter().any(|step| step.ends_with(found)), "{steps:#?}");
}

/// A night of 3 rooms with 3 guests and 2 rooms out of order, as stored by a version without forced exceptions; another
/// night with an allowance of the operator.
#[tokio::test]
async fn an_allowance_that_a_forced_change_brought_becomes_an_exception_for_the_guests() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (.., step) in &migrate::STEPS[..2] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let before = r#"
        INSERT INTO hotels VALUES ('h', 'Casa', 'Lisbon', 'lisbon', 'PT', 'Europe/Lisbon', 'EUR', '15:00:00', '11:00:00',
            NULL, NULL, 30, 730, 0);
        INSERT INTO room_types VALUES ('t', 'h', 'Double', 2, 1, 3, 3, 0, 1, 2);
        INSERT INTO nights (room_type_id, date, out_of_order, allowance, capacity, sold) VALUES
            ('t', '2026-05-01', 2, 2, 3, 3), ('t', '2026-05-02', 0, 2, 5, 3), ('t', '2026-05-03', 0, 1, 4, 4);
        INSERT INTO events (room_type_id, sequence, fact_id, at, cause, payload) VALUES
            ('t', 1, 'a', 0, 'nights_set', '{"nights": [["2026-05-03", {"allowance": 1}]], "forced_by": null}'),
            ('t', 2, 'b', 0, 'nights_set', '{"nights": [["2026-05-01", {"allowance": 2}], ["2026-05-02", {"allowance": 2}],
                ["2026-05-03", {"allowance": 1}]], "forced_by": "Rui"}');"#;
    sqlx::raw_sql(before).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(migrate::STEPS[2].2).execute(&mut connection).await.unwrap();
    let rows = sqlx::query("SELECT allowance, capacity, sold, forced FROM nights ORDER BY date");
    let night = |row: SqliteRow| (row.get("allowance"), row.get("capacity"), row.get("sold"), row.get("forced"));
    let nights: Vec<(Option<i64>, i64, i64, i64)> =
        rows.fetch_all(&mut connection).await.unwrap().into_iter().map(night).collect();
    assert_eq!(nights, [(None, 1, 3, 2), (None, 3, 3, 0), (Some(1), 4, 4, 0)]);
}

/// A record, a job and an event as the version before left them.
#[tokio::test]
async fn records_and_events_survive_the_step_to_general_records_and_jobs_do_not() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (.., step) in &migrate::STEPS[..5] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let before = r#"
        PRAGMA foreign_keys = off;
        INSERT INTO attempts VALUES (x'07', x'09', 't', 'b', '{"id": "b"}', 5);
        INSERT INTO jobs (kind, booking_id, dedup_key, next_at) VALUES ('mail', 'b', 'mail:b', 0);
        INSERT INTO events VALUES (8, 't', 1, 'f', 0, 'booked', 'b', '{}');"#;
    sqlx::raw_sql(before).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(migrate::STEPS[5].2).execute(&mut connection).await.unwrap();
    let left = "
        SELECT kind || answer || expires_at || ' ' || (SELECT count(*) FROM jobs) || ' '
            || (SELECT position || room_type_id || sequence || fact_id || cause FROM events)
        FROM idempotency_records WHERE key = x'07' AND fingerprint = x'09' AND principal IS NULL";
    let left: String = sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, r#"booking{"id": "b"}5 0 8t1fbooked"#);
}

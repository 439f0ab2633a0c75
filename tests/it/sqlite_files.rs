//! The SQLite store and its file: which files it accepts, and their contents.

use std::fs;
use std::path::{Path, PathBuf};

use innkeeper::domain::Move;
use innkeeper::store::sqlite::{OpenError, Sqlite};
use innkeeper::store::{Catalogue, Error, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use crate::store_contract::fixture::{self, booking, order, stay};
use crate::support::program::Workplace;

fn folder_with(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

async fn open(path: &Path, create: bool) -> Result<Sqlite, OpenError> {
    Sqlite::open(&format!("sqlite://{}", path.display()), create).await
}

async fn connection(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn execute(path: &Path, sql: &str) {
    let mut connection = connection(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Opens a file that must be refused and must not change.
async fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = open(path, true).await.err().expect("the file is refused");
    assert_eq!(fs::read(path).unwrap(), before, "nothing was changed");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error} names the file");
    error
}

#[tokio::test]
async fn a_new_file_is_created_only_on_request() {
    let (_folder, path) = folder_with("hotel.db");
    assert!(matches!(open(&path, false).await.err(), Some(OpenError::Missing { .. })));
    assert!(!path.exists());
    open(&path, true).await.unwrap().migrate().await.unwrap();
    let again = open(&path, false).await.unwrap();
    again.migrate().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_leaves_one_file() {
    let (folder, path) = folder_with("hotel.db");
    let store = open(&path, true).await.unwrap();
    store.migrate().await.unwrap();
    assert!(store.is_empty().await.unwrap());
    store.close().await.unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["hotel.db"]);
    assert!(matches!(store.is_empty().await, Err(Error::Unavailable(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn created_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder_with("hotel.db");
    let store = open(&path, true).await.unwrap();
    store.migrate().await.unwrap();
    assert!(store.is_empty().await.unwrap());
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_relative_path_is_a_path() {
    assert!(matches!(Sqlite::open("sqlite://no/such/folder.db", false).await.err(), Some(OpenError::Missing { .. })));
}

#[tokio::test]
async fn a_url_names_a_file() {
    for url in
        ["", "hotel.db", "postgres://localhost/hotel", "sqlite:", "sqlite::memory:", "sqlite://hotel.db?mode=memory"]
    {
        assert!(matches!(Sqlite::open(url, true).await.err(), Some(OpenError::Url { .. })), "{url:?}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let (_folder, path) = folder_with("none/hotel.db");
    assert!(matches!(open(&path, true).await.err(), Some(OpenError::Unavailable { .. })));
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_untouched() {
    let (_folder, path) = folder_with("letter.txt");
    for content in ["Dear guest", &"Dear guest, ".repeat(1_000)] {
        fs::write(&path, content).unwrap();
        assert!(matches!(refusal(&path).await, OpenError::NotSqlite { .. }));
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_untouched() {
    let (_folder, path) = folder_with("music.db");
    execute(&path, "CREATE TABLE songs (title TEXT)").await;
    assert!(matches!(refusal(&path).await, OpenError::Foreign { .. }));
    let (_folder, path) = folder_with("marked.db");
    execute(&path, "PRAGMA application_id = 42").await;
    assert!(matches!(refusal(&path).await, OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_untouched() {
    let (_folder, path) = folder_with("hotel.db");
    open(&path, true).await.unwrap().migrate().await.unwrap();
    execute(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', true, x'00', 0);
         PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .await;
    assert!(matches!(refusal(&path).await, OpenError::Newer { found: 9999, .. }));
}

#[tokio::test]
async fn a_database_with_a_foreign_schema_is_not_changed() {
    let workplace = Workplace::sqlite();
    workplace.run(&["migrate"]).succeeded();
    execute(&workplace.path().join("innkeeper.db"), "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let message = workplace.run(&["migrate"]).failed(1);
    assert!(message.contains("step 1 of its schema is not the one that this innkeeper knows"), "{message}");
    assert!(message.contains("begin with another database"), "{message}");
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let (_folder, path) = folder_with("hotel.db");
    fs::write(&path, "").unwrap();
    open(&path, true).await.unwrap().migrate().await.unwrap();
    assert!(open(&path, false).await.is_ok());
}

#[tokio::test]
async fn the_history_has_no_guests_data() {
    let house = fixture::sqlite().await;
    let mut desk = house.desk(2).await;
    let booked = desk.book(order(stay(1, 2), 1));
    let cancelled = desk.act(&booking(&booked), Move::Cancel);
    house.commit(&[booked, cancelled]).await;
    let columns = "SELECT cause || ' ' || payload FROM events ORDER BY sequence";
    let events: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut house.place.connection().await).await.unwrap();
    let (plan, events) = events.split_first().unwrap();
    assert!(plan.starts_with("rate_plan_set"), "{plan}");
    let night = |date, sold| format!(r#"{{"date":"{date}","sold":{sold},"held":0}}"#);
    let nights = |sold| format!("[{},{}]", night("2026-05-02", sold), night("2026-05-03", sold));
    let booked = format!(r#"booked {{"status":"confirmed","deltas":{}}}"#, nights(1));
    let cancelled = format!(r#"cancelled {{"status":"cancelled","deltas":{}}}"#, nights(-1));
    assert_eq!(events, [booked, cancelled]);
}

//! The SQLite store and its file: which files it takes, and what is in them.

use std::fs;
use std::path::{Path, PathBuf};

use innkeeper::store::sqlite::{OpenError, Sqlite};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

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

/// Opens a file that must be refused, and must be the same afterwards.
async fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = open(path, true).await.err().expect("the file is refused");
    assert_eq!(fs::read(path).unwrap(), before, "nothing was changed");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error} names the file");
    error
}

#[tokio::test]
async fn a_new_file_is_made_only_when_that_is_wanted() {
    let (_folder, path) = folder_with("hotel.db");
    assert!(matches!(open(&path, false).await.err(), Some(OpenError::Missing { .. })));
    assert!(!path.exists());
    open(&path, true).await.unwrap().migrate().await.unwrap();
    let again = open(&path, false).await.unwrap();
    again.migrate().await.unwrap();
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
async fn a_folder_that_is_not_there_is_named() {
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
async fn an_empty_file_becomes_ours() {
    let (_folder, path) = folder_with("hotel.db");
    fs::write(&path, "").unwrap();
    open(&path, true).await.unwrap().migrate().await.unwrap();
    assert!(open(&path, false).await.is_ok());
}

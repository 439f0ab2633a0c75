//! The database of a test: a SQLite file in a folder, or a PostgreSQL database. It is removed at the end of the test.
//!
//! Most tests use the kind that the environment names: `INNKEEPER_TEST_STORE=postgres cargo test --test it` runs the
//! whole suite on PostgreSQL, with the real program too ([`super::program::Workplace`]).

use std::path::PathBuf;
use std::sync::Arc;

use innkeeper::store::Store;
use innkeeper::store::postgres::{Options, Postgres};
use innkeeper::store::sqlite::Sqlite;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::postgres::{self, Database};

const VARIABLE: &str = "INNKEEPER_TEST_STORE";

/// Whether this run uses PostgreSQL.
pub fn is_postgres_run() -> bool {
    match std::env::var(VARIABLE).as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("{VARIABLE} is sqlite or postgres, not {other}"),
    }
}

/// A database with an empty schema.
pub enum TestDatabase {
    Sqlite(TempDir),
    Postgres(Database),
    /// A PostgreSQL database of a server that the test started.
    Elsewhere(String),
}

impl TestDatabase {
    /// A database of the kind that this run uses.
    pub fn new() -> Self {
        if is_postgres_run() { Self::postgres() } else { Self::sqlite() }
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        Self::Postgres(Database::new())
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("test.db"),
            Self::Postgres(_) | Self::Elsewhere(_) => panic!("only SQLite has a file"),
        }
    }

    /// A connection to a SQLite database.
    pub async fn connection(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.unwrap()
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("sqlite://{}", self.file().display()),
            Self::Postgres(database) => database.url(),
            Self::Elsewhere(url) => url.clone(),
        }
    }

    /// Opens the store.
    pub async fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(_) => {
                let store = Sqlite::open(&self.url(), true).await.unwrap();
                store.migrate().await.unwrap();
                Arc::new(store)
            }
            Self::Postgres(_) | Self::Elsewhere(_) => {
                Arc::new(Postgres::open(&self.url(), false, Options::default()).await.unwrap())
            }
        }
    }

    /// Waits until the feed has everything that was committed so far.
    pub async fn settled(&self) {
        if !matches!(self, Self::Sqlite(_)) {
            postgres::settled(&self.url()).await;
        }
    }

    /// Runs SQL without the program's knowledge.
    pub async fn execute(&self, sql: &str) {
        self.attempt(sql).await.unwrap();
    }

    /// The first column of all rows of a query, which is text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => sqlx::query_scalar(query).fetch_all(&mut self.connection().await).await.unwrap(),
            Self::Postgres(_) | Self::Elsewhere(_) => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Runs some SQL that the database may refuse.
    pub async fn attempt(&self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.connection().await;
                let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
                connection.close().await?;
                done?;
                Ok(())
            }
            Self::Postgres(_) | Self::Elsewhere(_) => postgres::attempt(&self.url(), sql).await,
        }
    }
}

/// All rows that may be written, locked by another program.
pub enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl TestDatabase {
    /// Locks them, until it is released.
    pub async fn lock(&self) -> Lock {
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.connection().await;
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                Lock::Sqlite(connection)
            }
            Self::Postgres(_) | Self::Elsewhere(_) => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let lock = "BEGIN; LOCK TABLE room_types, hotels IN EXCLUSIVE MODE";
                sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
                Lock::Postgres(connection)
            }
        }
    }
}

impl Lock {
    pub async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(mut connection) => {
                // The server notices the end of a connection a little later.
                sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

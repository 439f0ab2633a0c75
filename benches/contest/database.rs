//! The database of a setup: a SQLite file, or with `INNKEEPER_BENCH_STORE=postgres` a PostgreSQL database. Its server syncs
//! every commit to the disk of the build.

#[path = "../../tests/support/postgres_server.rs"]
#[allow(dead_code, reason = "the benches kill no server")]
mod postgres_server;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use postgres_server::Server;

pub const VARIABLE: &str = "INNKEEPER_BENCH_STORE";

/// Settings of PostgreSQL for a small machine.
const SETTINGS: &str = "
fsync = on
full_page_writes = on
wal_level = replica
max_wal_senders = 10
shared_buffers = 512MB
max_wal_size = 4GB
";

pub enum BenchDatabase {
    Sqlite(TempDir),
    Postgres(String),
}

impl BenchDatabase {
    /// A new database of the kind that this run uses.
    pub async fn new() -> Self {
        match on_postgres() {
            // In the build folder, because /tmp may be a RAM disk.
            false => Self::Sqlite(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()),
            true => Self::postgres().await,
        }
    }

    pub async fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("contest_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server().url("postgres")).await.unwrap();
        for sql in [format!("CREATE DATABASE {name}"), "CHECKPOINT".to_owned()] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        Self::Postgres(server().url(&name))
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("sqlite://{}", self.path().display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The main process of PostgreSQL; its other processes are children of it.
    #[allow(dead_code, reason = "only the bench of a cluster uses it")]
    pub fn postgres_process() -> u32 {
        let pid = std::fs::read_to_string(server().data().join("postmaster.pid")).unwrap();
        pid.lines().next().unwrap().parse().unwrap()
    }

    /// The file of a SQLite database.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("contest.db"),
            Self::Postgres(_) => panic!("only SQLite has a file"),
        }
    }
}

pub fn on_postgres() -> bool {
    std::env::var(VARIABLE).is_ok_and(|store| store == "postgres")
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_in(Path::new(env!("CARGO_TARGET_TMPDIR")), SETTINGS, |_| ()))
}

//! One PostgreSQL for all tests of this process, with a database for each.

#[path = "../../support/postgres_server.rs"]
mod server;

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use innkeeper::store::postgres::{Options, Postgres};
pub use server::Server;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The template of new databases: an empty, migrated one.
const TEMPLATE: &str = "innkeeper_template";

/// A database for one test, dropped at its end.
pub struct Database {
    name: String,
}

impl Database {
    /// A migrated database.
    pub fn new() -> Self {
        Self::copied_from(TEMPLATE)
    }

    /// An empty database.
    pub fn empty() -> Self {
        Self::copied_from("template1")
    }

    /// A dump of a database, restored as another one. The original may be in use meanwhile.
    pub fn restored_from(original: &str) -> Self {
        let copy = Self::empty();
        let restore =
            "pg_dump --no-owner --dbname \"$1\" | psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname \"$2\"";
        let restored = Command::new("sh").args(["-c", restore, "sh", original, &copy.url()]).output().unwrap();
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        copy
    }

    fn copied_from(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        administer(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { name }
    }

    pub fn url(&self) -> String {
        server().url(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The server, started by the first test that needs it.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start("");
        let (postgres, template) = (server.url("postgres"), server.url(TEMPLATE));
        elsewhere(async move || {
            execute(&postgres, &format!("CREATE DATABASE {TEMPLATE}")).await;
            let store = Postgres::open(&template, true, Options::default()).await.unwrap();
            store.migrate().await.unwrap();
        });
        server
    })
}

/// Waits until readers of the feed get everything that was committed so far: until every transaction of the server,
/// also of other tests, has ended.
pub async fn settled(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let now: i64 =
        sqlx::query_scalar("SELECT pg_current_xact_id()::text::bigint").fetch_one(&mut connection).await.unwrap();
    let settled = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1";
    while !sqlx::query_scalar::<_, bool>(settled).bind(now).fetch_one(&mut connection).await.unwrap() {
        tokio::task::yield_now().await;
    }
    connection.close().await.unwrap();
}

/// Runs some SQL.
pub async fn execute(url: &str, sql: &str) {
    attempt(url, sql).await.unwrap();
}

/// Runs some SQL that the server may refuse.
pub async fn attempt(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    connection.close().await?;
    done?;
    Ok(())
}

fn administer(sql: &str) {
    let (url, sql) = (server().url("postgres"), sql.to_owned());
    elsewhere(async move || execute(&url, &sql).await);
}

/// Runs to the end on a separate thread, for every kind of caller.
fn elsewhere(work: impl AsyncFnOnce() + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(work())).join().unwrap();
}

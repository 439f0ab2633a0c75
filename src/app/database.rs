//! Opens the configured database, for each kind of use.
//!
//! A server, an import and a migration have a SQLite file to themselves. Commands that only read can run beside them. Nodes
//! share a PostgreSQL database.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gethostname::gethostname;

use super::{Error, url};
use crate::clock::{Clock, System};
use crate::config::Config;
use crate::store::Store;
use crate::store::postgres::{self, Postgres};
use crate::store::sqlite::Sqlite;

/// Opens the store for changes, and migrates it. With `create`, a missing one is created.
pub async fn open_store(config: &Config, create: bool) -> Result<Arc<dyn Store>, Error> {
    open(config, create, &who(None)).await
}

/// Like [`open_store`], for a server. A second program is told the server's address.
pub async fn open_store_to_serve(config: &Config, address: SocketAddr) -> Result<Arc<dyn Store>, Error> {
    open(config, true, &who(Some(address))).await
}

/// Opens the store for reading, also while a server uses it.
pub async fn open_store_to_read(config: &Config) -> Result<Arc<dyn Store>, Error> {
    match config.database_url.scheme() {
        "sqlite" | "" => Ok(Arc::new(beside(config).await?.is_current().map_err(|error| cannot_open(config, error))?)),
        "postgres" | "postgresql" => {
            let opened = Postgres::open_to_read(config.database_url.expose(), shared(config)).await;
            Ok(Arc::new(opened.map_err(|error| cannot_open(config, error))?))
        }
        scheme => Err(Error::UnknownBackend { scheme: scheme.to_owned() }),
    }
}

/// Copies the database to a file, also while a server uses it. Returns the size of the copy in bytes.
pub async fn back_up(config: &Config, to: &Path, overwrite: bool) -> Result<u64, Error> {
    match config.database_url.scheme() {
        "sqlite" | "" => {
            let sqlite = beside(config).await?;
            let copied = sqlite.back_up(to, overwrite).await;
            sqlite.close().await?;
            Ok(copied?)
        }
        "postgres" | "postgresql" => Err(Error::NoBackup),
        scheme => Err(Error::UnknownBackend { scheme: scheme.to_owned() }),
    }
}

async fn open(config: &Config, create: bool, who: &str) -> Result<Arc<dyn Store>, Error> {
    let address = &config.database_url;
    let cannot_migrate = |source| Error::Migrate { url: address.clone(), source };
    match address.scheme() {
        "sqlite" | "" => {
            let opened = Sqlite::open_alone(address.expose(), create, config.lock_wait, who).await;
            let sqlite = opened.map_err(|error| cannot_open(config, error))?;
            sqlite.migrate().await.map_err(cannot_migrate)?;
            Ok(Arc::new(sqlite))
        }
        "postgres" | "postgresql" => {
            let opened = Postgres::open(address.expose(), create, shared(config)).await;
            let postgres = opened.map_err(|error| cannot_open(config, error))?;
            postgres.migrate().await.map_err(cannot_migrate)?;
            Ok(Arc::new(postgres))
        }
        scheme => Err(Error::UnknownBackend { scheme: scheme.to_owned() }),
    }
}

/// How a database of several nodes is used.
fn shared(config: &Config) -> postgres::Options {
    let Config { database_connections: connections, commit_lanes: lanes, lock_wait, .. } = *config;
    postgres::Options { connections, lanes, lock_wait }
}

async fn beside(config: &Config) -> Result<Sqlite, Error> {
    let opened = Sqlite::open_beside(config.database_url.expose(), config.lock_wait).await;
    opened.map_err(|error| cannot_open(config, error))
}

fn cannot_open(config: &Config, source: impl Into<anyhow::Error>) -> Error {
    Error::Open { url: config.database_url.clone(), source: source.into() }
}

/// The description of this process, for other programs that find the database in use.
fn who(address: Option<SocketAddr>) -> String {
    let (process, host) = (std::process::id(), gethostname());
    let at = address.map(|address| format!(", at {}", url(address))).unwrap_or_default();
    format!("process {process} on {}{at}, since {:.0}", host.to_string_lossy(), System.now())
}

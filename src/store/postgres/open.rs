//! Opens a database. A database that is not ours is refused before anything in it is changed.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

use super::circuit::Circuit;
use super::commit::Contested;
use super::{Pool, Postgres, migrate, session};
use crate::domain::Timestamp;
use crate::store::sql::Columns;
use crate::store::writable::Writable;
use crate::store::{Error, Size, Store};

/// The oldest supported server: it has functions for 64-bit transaction numbers.
const OLDEST_SERVER: i32 = 130_000;
/// The known parameters of a URL. sqlx would silently ignore an unknown one, such as a typing mistake.
const PARAMETERS: [&str; 16] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "application_name",
];

const TIME: &str = "SELECT least($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS time";

/// How the database is used.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// All connections: those that commit, one for health checks, and the others.
    pub connections: u32,
    /// The connections that commit.
    pub lanes: u32,
    /// Time limit of waiting for a lock of another program.
    pub lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 16, lanes: 2, lock_wait: Duration::from_secs(5) }
    }
}

/// Why a database cannot be used. Each message says what to do. None contains the URL, because it has a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the URL cannot be used: {why}; it must be like postgres://user:password@host/database?sslmode=verify-full"
    )]
    Url { why: String },
    #[error("no server answers at {server}; check that PostgreSQL runs there and can be reached")]
    Away {
        server: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("PostgreSQL at {server} does not let {user:?} in; check user and password, and its pg_hba.conf")]
    NotLetIn {
        server: String,
        user: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("PostgreSQL at {server} has no database {database:?}; make it with `createdb {database}`")]
    NoDatabase { server: String, database: String },
    #[error("PostgreSQL at {server} is version {found}; 13 or newer is needed")]
    TooOld { server: String, found: i32 },
    #[error("PostgreSQL at {server} is a standby, which stores nothing; name the primary")]
    Standby { server: String },
    #[error("PostgreSQL at {server} cannot be used that way: {why}")]
    Pooler { server: String, why: String },
    #[error("there is no innkeeper in the database {database:?}; check the name, or make one with `innkeeper migrate`")]
    Missing { database: String },
    #[error("the database {database:?} belongs to another program; nothing was changed, choose another one")]
    Foreign { database: String },
    #[error(
        "the database {database:?} comes from a newer innkeeper (schema {found}, this one knows {known}); use that \
         version or newer"
    )]
    Newer { database: String, found: i64, known: i64 },
    #[error(
        "the database {database:?} comes from an older innkeeper (schema {found}, this one knows {known}); read it with \
         the version that serves it, or bring it up to date with `innkeeper migrate`"
    )]
    Older { database: String, found: i64, known: i64 },
    #[error("the database {database:?} at {server} cannot be used")]
    Unavailable {
        server: String,
        database: String,
        #[source]
        source: sqlx::Error,
    },
}

/// What a database holds.
enum Content {
    Nothing,
    Ours { schema: i64 },
    Foreign,
}

/// Properties of a server and of a database.
struct Found {
    version: i32,
    standby: bool,
    content: Content,
}

/// The address of a database without the password.
struct DatabaseAddress {
    server: String,
    user: String,
    database: String,
}

impl Postgres {
    /// Opens the database that `url` names, which must exist; with `create` it may be empty. Its schema may be older than
    /// this version's until [`Postgres::migrate`] has run.
    pub async fn open(url: &str, create: bool, options: Options) -> Result<Self, OpenError> {
        Self::admitted(url, create, options).await.map(|(postgres, _)| postgres)
    }

    /// Opens the database to read it, also while nodes run on it. Nothing is changed, so its schema must be this version's.
    pub async fn open_to_read(url: &str, options: Options) -> Result<Self, OpenError> {
        match Self::admitted(url, false, options).await? {
            (postgres, migrate::LATEST) => Ok(postgres),
            (_, found) => {
                let DatabaseAddress { database, .. } = DatabaseAddress::of(&parse(url)?);
                Err(OpenError::Older { database, found, known: migrate::LATEST })
            }
        }
    }

    /// The database, if we may use it, and the number of the last step of its schema.
    async fn admitted(url: &str, create: bool, options: Options) -> Result<(Self, i64), OpenError> {
        let target = parse(url)?;
        let place = DatabaseAddress::of(&target);
        let unavailable = |error| place.why(error);
        let Found { version, standby, content } =
            session::within(session::CONNECT_WITHIN, look(&target)).await.map_err(unavailable)?;
        if version < OLDEST_SERVER {
            return Err(OpenError::TooOld { server: place.server, found: version / 10_000 });
        }
        if standby {
            return Err(OpenError::Standby { server: place.server });
        }
        let session = session::committing(target.clone(), options.lock_wait);
        session::within(session::CONNECT_WITHIN, session.connect()).await.map_err(unavailable)?;
        let postgres = Self::connected(target, options).map_err(unavailable)?;
        let DatabaseAddress { database, .. } = place;
        match content {
            Content::Nothing if !create => Err(OpenError::Missing { database }),
            Content::Foreign => Err(OpenError::Foreign { database }),
            Content::Ours { schema } if schema > migrate::LATEST => {
                Err(OpenError::Newer { database, found: schema, known: migrate::LATEST })
            }
            Content::Nothing => Ok((postgres, 0)),
            Content::Ours { schema } => Ok((postgres, schema)),
        }
    }

    fn connected(target: PgConnectOptions, options: Options) -> Result<Self, sqlx::Error> {
        let lanes = options.lanes.max(1);
        let others = options.connections.saturating_sub(lanes + 1).max(1);
        let circuit = Circuit::closed();
        let committing = session::committing(target.clone(), options.lock_wait);
        let watching = session::watching(target.clone(), options.lock_wait);
        let asking = session::asking(target.clone(), options.lock_wait);
        Ok(Self {
            writer: Pool::new(committing, circuit.clone(), lanes, session::COMMIT_WITHIN)?,
            contested: Contested::default(),
            watch: Pool::new(watching, circuit.clone(), 1, session::ANSWER_WITHIN)?,
            pool: Pool::new(asking, circuit, others, session::ANSWER_WITHIN)?,
            unhurried: session::unhurried(target, options.lock_wait),
            writable: Writable::default(),
        })
    }
}

#[async_trait]
impl Store for Postgres {
    async fn time(&self, now: Timestamp) -> Result<Timestamp, Error> {
        self.pool.one(sqlx::query(TIME).bind(now.as_microsecond())).await?.instant("time")
    }

    /// Uses a connection of its own.
    async fn reach(&self) -> Result<(), Error> {
        self.watch.execute(sqlx::query("SELECT 1")).await?;
        Ok(())
    }

    async fn size(&self) -> Result<Size, Error> {
        let size = self.pool.one(sqlx::query("SELECT pg_database_size(current_database()) AS bytes")).await?;
        Ok(Size { database: size.number("bytes")?, wal: 0 })
    }

    async fn close(&self) -> Result<(), Error> {
        for pool in [&self.writer, &self.pool, &self.watch] {
            pool.close().await?;
        }
        Ok(())
    }
}

/// Parses a URL, and refuses unknown parameters.
fn parse(url: &str) -> Result<PgConnectOptions, OpenError> {
    let refused = |why: String| OpenError::Url { why };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !PARAMETERS.contains(&&*name) {
            return Err(refused(unknown(&name, query)));
        }
    }
    let options = PgConnectOptions::from_str(url).map_err(|error| refused(error.to_string()))?;
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("innkeeper"),
    })
}

/// The message for an unknown parameter. It does not show text that may be the rest of a password.
fn unknown(name: &str, query: &str) -> String {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(is_name) && !query.contains('@') {
        true => format!("it has an unknown parameter {name:?}"),
        false => "it has an unknown parameter; a `?` in the password must be written %3F".to_owned(),
    }
}

async fn look(target: &PgConnectOptions) -> Result<Found, sqlx::Error> {
    let mut connection = target.connect().await?;
    let found = sqlx::query_as("SELECT current_setting('server_version_num')::integer, pg_is_in_recovery()");
    let (version, standby) = found.fetch_one(&mut connection).await?;
    // A server that cannot be used is asked nothing more.
    let content = match version < OLDEST_SERVER || standby {
        true => Content::Nothing,
        false => content(&mut connection).await?,
    };
    connection.close().await?;
    Ok(Found { version, standby, content })
}

/// Inspects a database without changing it. Ignores tables owned by extensions. Reads the number of the last step
/// first: if another node migrates meanwhile, the tables found later are newer, which is consistent.
async fn content(connection: &mut PgConnection) -> Result<Content, sqlx::Error> {
    const LISTED: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    const LAST: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
    const LOOK: &str = "
        SELECT
            to_regclass('_sqlx_migrations') IS NOT NULL
                AND to_regclass('event_positions') IS NOT NULL AND to_regclass('installation') IS NOT NULL AS ours,
            EXISTS (
                SELECT 1 FROM pg_class AS c
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                    AND c.relname <> '_sqlx_migrations'
                    AND NOT EXISTS (
                        SELECT 1 FROM pg_depend AS d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
                    )
            ) AS used";
    let schema = match sqlx::query_scalar(LISTED).fetch_one(&mut *connection).await? {
        true => sqlx::query_scalar(LAST).fetch_one(&mut *connection).await?,
        false => 0,
    };
    let row = sqlx::query(LOOK).fetch_one(&mut *connection).await?;
    Ok(match (row.try_get("ours")?, row.try_get("used")?, schema) {
        (true, _, schema) => Content::Ours { schema },
        // A first migration that was interrupted has left its table.
        (false, false, 0) => Content::Nothing,
        _ => Content::Foreign,
    })
}

impl DatabaseAddress {
    fn of(target: &PgConnectOptions) -> Self {
        let server = match target.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", target.get_host(), target.get_port()),
        };
        let user = target.get_username().to_owned();
        let database = target.get_database().unwrap_or(&user).to_owned();
        Self { server, user, database }
    }

    /// Why the database cannot be used, and what to do.
    fn why(&self, source: sqlx::Error) -> OpenError {
        let Self { server, user, database } = self;
        let (server, user, database) = (server.clone(), user.clone(), database.clone());
        let code = source.as_database_error().and_then(|error| error.code()).unwrap_or_default();
        match (&source, &*code) {
            (_, "28P01" | "28000") => OpenError::NotLetIn { server, user, source },
            (_, "3D000") => OpenError::NoDatabase { server, database },
            (sqlx::Error::Configuration(why), _) if why.is::<session::Dropped>() => {
                OpenError::Pooler { server, why: why.to_string() }
            }
            (sqlx::Error::Io(error), _) if error.kind() != io::ErrorKind::InvalidData => {
                OpenError::Away { server, source }
            }
            _ => OpenError::Unavailable { server, database, source },
        }
    }
}

//! Opens a file. A file that is not ours is refused before anything in it is changed.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::hold::{Hold, NotHeld};
use super::watch::{Watch, beside};
use super::{Sqlite, Writer, migrate};
use crate::store::{Error, Members, Size, Store};

/// `PRAGMA application_id` of our files: "innk" in ASCII.
const APPLICATION_ID: i64 = 0x696e_6e6b;
/// Number of reading connections: one disk and a few cores can use no more.
const READERS: u32 = 4;
/// Time limit of waiting for a reading connection.
const READER_WITHIN: Duration = Duration::from_secs(5);

/// Why a database cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{url:?} does not name a SQLite file; use a URL such as sqlite:///var/lib/innkeeper/hotel.db")]
    Url { url: String },
    #[error("there is no innkeeper database at {path:?}; check the path, or make one with `innkeeper migrate`")]
    Missing { path: PathBuf },
    #[error("{path:?} is not a SQLite file; nothing was changed, choose another path")]
    NotSqlite { path: PathBuf },
    #[error("{path:?} is a SQLite database of another program; nothing was changed, choose another path")]
    Foreign { path: PathBuf },
    #[error(
        "{path:?} comes from a newer innkeeper (schema {found}, this one knows {known}); use that version or newer"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error(
        "{path:?} is in use by {holder}; a SQLite file has one server at a time: stop that one, or name another file"
    )]
    Held { path: PathBuf, holder: String },
    #[error(
        "{path:?} comes from an older innkeeper (schema {found}, this one knows {known}); bring it up to date with \
         `innkeeper migrate` when no server runs on it"
    )]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("{why}")]
    Incomplete { why: String },
    #[error("{path:?} cannot be opened; check that the folder exists, is writable, and has room")]
    Unavailable {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
}

/// What a file holds.
enum Content {
    Nothing,
    Ours { schema: i64 },
    NotSqlite,
    Foreign,
}

impl Sqlite {
    /// Default time limit of waiting for a lock of another process.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Opens the file that `url` names; with `create`, makes it if it is not there. Its schema may be older than this
    /// version's until [`Sqlite::migrate`] has run.
    pub async fn open(url: &str, create: bool) -> Result<Self, OpenError> {
        Self::open_patiently(url, create, Self::PATIENCE).await
    }

    /// Like [`Sqlite::open`], with another time limit for locks of other processes.
    pub async fn open_patiently(url: &str, create: bool, patience: Duration) -> Result<Self, OpenError> {
        let file = File::named(url, patience)?;
        file.connect(file.admit(create).await?, None).await
    }

    /// Opens the file for a program that must be the only one to change it. `who` is shown to other programs. The lock
    /// lasts until the store is closed or the process ends.
    pub async fn open_alone(url: &str, create: bool, patience: Duration, who: &str) -> Result<Self, OpenError> {
        let file = File::named(url, patience)?;
        let content = file.admit(create).await?;
        let hold = file.hold(who).await?;
        let log_is_missing = file.lacks_its_log();
        let mut sqlite = file.connect(content, Some(hold.path())).await?;
        sqlite.hold = Mutex::new(Some(hold));
        sqlite.note_missing_log(log_is_missing).await;
        Ok(sqlite)
    }

    /// Opens the file for reading, also while a server runs on it. Neither the schema nor the log is changed.
    pub async fn open_beside(url: &str, patience: Duration) -> Result<Self, OpenError> {
        let file = File::named(url, patience)?;
        let log_is_missing = file.lacks_its_log() && !Hold::is_taken(&file.path);
        let Content::Ours { schema } = file.admit(false).await? else {
            return Err(OpenError::Missing { path: file.path });
        };
        let options = file.options.create_if_missing(false).read_only(true);
        let mut sqlite = Sqlite::over(options.clone(), Writer::new(options, None, Watch::none(&file.path)), file.path);
        sqlite.schema = schema;
        sqlite.note_missing_log(log_is_missing).await;
        Ok(sqlite)
    }

    /// Refuses a schema that is older than this version's.
    pub fn is_current(self) -> Result<Self, OpenError> {
        match self.incomplete {
            _ if self.schema >= migrate::LATEST => Ok(self),
            Some(why) => Err(OpenError::Incomplete { why }),
            None => Err(OpenError::Older { path: self.path, found: self.schema, known: migrate::LATEST }),
        }
    }

    fn over(options: SqliteConnectOptions, writer: Writer, path: PathBuf) -> Self {
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(READER_WITHIN)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on").pragma("temp_store", "memory"));
        let (hold, anchor) = (Mutex::new(None), Mutex::new(None));
        Self { writer, readers, path, schema: migrate::LATEST, hold, anchor, incomplete: None }
    }
}

/// One node has the file to itself.
impl Members for Sqlite {}

#[async_trait]
impl Store for Sqlite {
    fn incomplete(&self) -> Option<String> {
        self.incomplete.clone()
    }

    async fn size(&self) -> Result<Size, Error> {
        let options = self.readers.connect_options();
        let mut wal = options.get_filename().as_os_str().to_owned();
        wal.push("-wal");
        let bytes = async |path: &Path| match tokio::fs::metadata(path).await {
            Ok(file) => Ok(file.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::Unavailable(error.into())),
        };
        Ok(Size { database: bytes(options.get_filename()).await?, wal: bytes(Path::new(&wal)).await? })
    }

    /// SQLite moves the log into the file when the last connection closes.
    async fn close(&self) -> Result<(), Error> {
        let hold = self.hold.lock().await.take();
        if hold.is_some() {
            self.end_use().await;
        }
        if let Some(anchor) = self.anchor.lock().await.take() {
            anchor.close().await?;
        }
        self.readers.close().await;
        self.writer.close().await?;
        self.tidy_up().await;
        Ok(())
    }
}

/// A database file that is about to be opened.
struct File {
    options: SqliteConnectOptions,
    path: PathBuf,
}

impl File {
    fn named(url: &str, patience: Duration) -> Result<Self, OpenError> {
        let options = parse(url)?.busy_timeout(patience);
        let path = options.get_filename().to_path_buf();
        Ok(Self { options, path })
    }

    /// The content of the file, if it may be used. With `create` the file may be missing.
    async fn admit(&self, create: bool) -> Result<Content, OpenError> {
        let path = self.path.clone();
        match inspect(&self.options, &path).await.map_err(|error| self.unavailable(error))? {
            Content::Nothing if !create => Err(OpenError::Missing { path }),
            Content::NotSqlite => Err(OpenError::NotSqlite { path }),
            Content::Foreign => Err(OpenError::Foreign { path }),
            Content::Ours { schema } if schema > migrate::LATEST => {
                Err(OpenError::Newer { path, found: schema, known: migrate::LATEST })
            }
            content => Ok(content),
        }
    }

    async fn hold(&self, who: &str) -> Result<Hold, OpenError> {
        let (path, who) = (self.path.clone(), who.to_owned());
        let taken = tokio::task::spawn_blocking(move || Hold::take(&path, &who)).await;
        match taken.unwrap_or_else(|error| Err(NotHeld::Failed(io::Error::other(error)))) {
            Ok(hold) => Ok(hold),
            Err(NotHeld::Taken(holder)) => Err(OpenError::Held { path: self.path.clone(), holder }),
            Err(NotHeld::Failed(error)) => Err(self.unavailable(sqlx::Error::Io(error))),
        }
    }

    /// Opens the file for reading and writing. `lock` is the lock file that is held.
    async fn connect(&self, content: Content, lock: Option<&Path>) -> Result<Sqlite, OpenError> {
        let opened = async {
            if let Content::Nothing = content {
                make_private(&self.path).await?;
                mark(&self.options.clone().create_if_missing(true)).await?;
            }
            connect(self.options.clone(), self.path.clone(), lock).await
        };
        opened.await.map_err(|error| self.unavailable(error))
    }

    /// Whether the log beside the file is empty or missing, as after an orderly end, or beside a copy of the file
    /// alone.
    fn lacks_its_log(&self) -> bool {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(true, |log| log.len() == 0)
    }

    fn unavailable(&self, source: sqlx::Error) -> OpenError {
        OpenError::Unavailable { path: self.path.clone(), source }
    }
}

fn parse(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let malformed = || OpenError::Url { url: url.to_owned() };
    let names_a_file = url.strip_prefix("sqlite:").is_some_and(|file| {
        let file = file.trim_start_matches("//");
        !file.is_empty() && file != ":memory:" && !file.contains('?')
    });
    if !names_a_file {
        return Err(malformed());
    }
    SqliteConnectOptions::from_str(url).map_err(|_| malformed())
}

/// Inspects a file through a connection that cannot write.
async fn inspect(options: &SqliteConnectOptions, path: &Path) -> Result<Content, sqlx::Error> {
    if !tokio::fs::try_exists(path).await.map_err(sqlx::Error::Io)? {
        return Ok(Content::Nothing);
    }
    let probe = options.clone().create_if_missing(false).read_only(true);
    let mut connection = match probe.connect().await {
        Ok(connection) => connection,
        Err(error) => return not_sqlite(error),
    };
    let content = content(&mut connection).await.or_else(not_sqlite);
    connection.close().await?;
    content
}

async fn content(connection: &mut SqliteConnection) -> Result<Content, sqlx::Error> {
    let application_id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema").fetch_all(&mut *connection).await?;
    match application_id {
        0 if tables.is_empty() => Ok(Content::Nothing),
        APPLICATION_ID if !tables.iter().any(|table| table == "_sqlx_migrations") => Ok(Content::Ours { schema: 0 }),
        APPLICATION_ID => {
            let schema = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations");
            Ok(Content::Ours { schema: schema.fetch_one(&mut *connection).await? })
        }
        _ => Ok(Content::Foreign),
    }
}

/// SQLITE_NOTADB means "not SQLite". It is no failure.
fn not_sqlite(error: sqlx::Error) -> Result<Content, sqlx::Error> {
    match error.as_database_error().and_then(|error| error.code()) {
        Some(code) if code == "26" => Ok(Content::NotSqlite),
        _ => Err(error),
    }
}

/// Creates a missing file that only its owner may read: it will hold guests and a secret. SQLite gives the files beside
/// it the same mode.
async fn make_private(path: &Path) -> Result<(), sqlx::Error> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(sqlx::Error::Io(error)),
        _ => Ok(()),
    }
}

/// Marks an empty file as ours before WAL mode is on, so that the mark is in the file itself.
async fn mark(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}");
    sqlx::query(AssertSqlSafe(mark)).execute(&mut connection).await?;
    connection.close().await
}

async fn connect(options: SqliteConnectOptions, path: PathBuf, lock: Option<&Path>) -> Result<Sqlite, sqlx::Error> {
    let options = options.create_if_missing(false).foreign_keys(true);
    let writing = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8192")
        .pragma("journal_size_limit", "67108864");
    let connection = writing.connect().await?;
    // Opens the log, and keeps it open.
    let mut anchor = options.clone().pragma("query_only", "on").connect().await?;
    sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut anchor).await?;
    let watch = Watch::of(&path, lock).map_err(sqlx::Error::Io)?;
    let mut sqlite = Sqlite::over(options, Writer::new(writing, Some(connection), watch), path);
    sqlite.anchor = Mutex::new(Some(anchor));
    Ok(sqlite)
}

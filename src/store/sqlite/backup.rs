//! Copies the database while a server runs on it.
//!
//! It uses `VACUUM INTO`: one transaction reads one committed state, stops neither readers nor the writer, and writes a
//! compact file without a log. SQLite's backup API starts again whenever another process commits, so on a busy server
//! it might never end. While the copy is made the log grows, because nothing that it reads may be overwritten.
//!
//! The copy is made under a temporary name, synced, and then renamed: a file with the final name is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::Sqlite;
use super::in_use::UNMARK;
use super::watch::beside;

/// Why no copy was made. Existing files are not changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{path:?} is there already; choose another name, or say --overwrite")]
    Exists { path: PathBuf },
    #[error("{path:?} is the database itself")]
    Itself { path: PathBuf },
    #[error("the copy {path:?} cannot be written; check that the folder exists, is writable, and has room")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the database cannot be copied")]
    Copy(#[source] sqlx::Error),
}

impl Sqlite {
    /// Copies everything that is committed to `to`. Returns the size of the copy in bytes.
    pub async fn back_up(&self, to: &Path, overwrite: bool) -> Result<u64, BackupError> {
        let cannot_write = |source| BackupError::Write { path: to.to_path_buf(), source };
        self.may_write(to, overwrite)?;
        let partial = Partial::make(to).map_err(cannot_write)?;
        self.copy(&partial.0).await.map_err(BackupError::Copy)?;
        partial.finish(to, overwrite).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => BackupError::Exists { path: to.to_path_buf() },
            _ => cannot_write(error),
        })
    }

    fn may_write(&self, to: &Path, overwrite: bool) -> Result<(), BackupError> {
        let path = to.to_path_buf();
        let Ok(found) = fs::symlink_metadata(to) else { return Ok(()) };
        let own = [self.path.clone(), beside(&self.path, "-wal"), beside(&self.path, "-shm")];
        let is_own =
            |own: &PathBuf| fs::metadata(own).is_ok_and(|own| own.ino() == found.ino() && own.dev() == found.dev());
        match own.iter().any(is_own) {
            true => Err(BackupError::Itself { path }),
            false if overwrite => Ok(()),
            false => Err(BackupError::Exists { path }),
        }
    }

    async fn copy(&self, to: &Path) -> Result<(), sqlx::Error> {
        let name = to.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the name is not UTF-8"))?;
        let mut reading = self.readers.acquire().await?;
        // A connection that must not write the database may write another file.
        sqlx::query("PRAGMA query_only = off").execute(&mut *reading).await?;
        sqlx::query("VACUUM INTO $1").bind(name).execute(&mut *reading).await?;
        let mut copy = SqliteConnectOptions::new().filename(to).connect().await?;
        sqlx::query(UNMARK).execute(&mut copy).await?;
        copy.close().await
    }
}

/// A copy under its temporary name. It is removed if it is dropped before it is finished.
struct Partial(PathBuf);

impl Partial {
    /// Creates an empty file that only its owner may read: it will hold guests and a secret.
    fn make(to: &Path) -> io::Result<Self> {
        let path = beside(to, &format!(".partial-{}", std::process::id()));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self(path))
    }

    /// Syncs the copy, and renames it.
    fn finish(self, to: &Path, overwrite: bool) -> io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_all()?;
        match overwrite {
            true => fs::rename(&self.0, to)?,
            // Unlike a rename, it fails if the file exists by now.
            false => fs::hard_link(&self.0, to)?,
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

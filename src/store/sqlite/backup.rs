//! Copies the database while a server runs on it.
//!
//! It uses `VACUUM INTO`: one transaction reads one committed state, stops neither readers nor the writer, and writes a
//! compact file without a log. SQLite's backup API starts again whenever another process commits, so on a busy server
//! it might never end. While the copy is made the log grows, because nothing that it reads may be overwritten.
//!
//! The copy is made under a temporary name, synced, and then renamed: a file with the final name is complete. A later backup
//! of the same target removes the temporary file of a backup that was killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::Sqlite;
use super::hold::lock_path;
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
        let own = own.into_iter().chain(lock_path(&self.path));
        let is_own =
            |own: &PathBuf| fs::metadata(own).is_ok_and(|own| own.ino() == found.ino() && own.dev() == found.dev());
        match own.into_iter().any(|own| is_own(&own)) {
            true => Err(BackupError::Itself { path }),
            false if overwrite => Ok(()),
            false => Err(BackupError::Exists { path }),
        }
    }

    async fn copy(&self, to: &Path) -> Result<(), sqlx::Error> {
        let name = to.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the name is not UTF-8"))?;
        // A connection that must not write the database may write another file, but not under `query_only`.
        let options = self.readers.connect_options().as_ref().clone();
        let mut reading = options.pragma("query_only", "off").connect().await?;
        sqlx::query("VACUUM INTO $1").bind(name).execute(&mut reading).await?;
        reading.close().await?;
        let mut copy = SqliteConnectOptions::new().filename(to).connect().await?;
        sqlx::query(UNMARK).execute(&mut copy).await?;
        copy.close().await
    }
}

/// What stands between the name of a copy and a number in its temporary name.
const PARTIAL: &str = ".partial-";
/// Copies of one target that can be made at once.
const AT_ONCE: u32 = 100;
/// A temporary file without a write for this long belongs to a backup that was killed.
const STALE: Duration = Duration::from_secs(10 * 60);

/// A copy under its temporary name. It is removed if it is dropped before it is finished.
struct Partial(PathBuf);

impl Partial {
    /// Creates an empty file that only its owner may read: it will hold guests and a secret.
    fn make(to: &Path) -> io::Result<Self> {
        for number in 1..=AT_ONCE {
            let path = beside(to, &format!("{PARTIAL}{number}"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => {
                    let partial = made.map(|_| Self(path))?;
                    partial.remove_stale(to)?;
                    return Ok(partial);
                }
            }
        }
        Err(io::Error::other("too many copies of that name are being made"))
    }

    /// Removes the temporary files of killed backups of the same target. Ages are measured by the clock of the file system.
    fn remove_stale(&self, to: &Path) -> io::Result<()> {
        let now = fs::metadata(&self.0)?.modified()?;
        let prefix = beside(Path::new(to.file_name().unwrap_or_default()), PARTIAL);
        for file in fs::read_dir(folder(to))? {
            let file = file?;
            let is_partial = file.file_name().as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes());
            let age = || now.duration_since(file.metadata()?.modified()?).map_err(io::Error::other);
            if is_partial && age().is_ok_and(|age| age > STALE) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    /// Syncs the copy, and renames it.
    fn finish(self, to: &Path, overwrite: bool) -> io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_all()?;
        match overwrite {
            true => fs::rename(&self.0, to)?,
            false => rename_new(&self.0, to)?,
        }
        File::open(folder(to))?.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

/// Renames a file, unless the new name exists. A hard link fails if the file exists by now. On a file system without hard
/// links (SMB, exFAT, many in user space) the name is checked before the rename.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
        linked => linked,
    }
}

fn folder(of: &Path) -> &Path {
    of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

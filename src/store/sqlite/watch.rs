//! Watches the files of a database: whether the open files are still at their paths, and whether they can be written.
//!
//! A database file that is deleted, replaced or moved lives on for processes that have it open: commits succeed, and
//! are lost. So device and inode of the path are compared with those at the opening, before each write and after its
//! commit. That costs one system call per file, a few microseconds. The log (`-wal`) and its index (`-shm`) are compared
//! too; an unused connection keeps SQLite from recreating them. So is the lock file of a program that uses the database
//! alone: without it, another program could take the lock.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::writable::Writable;

/// Bytes of a trial write: more than most batches need.
const ROOM: usize = 1024 * 1024;

/// Watches the files of one database.
pub(super) struct Watch {
    path: PathBuf,
    /// The files at the opening.
    files: Vec<(PathBuf, Identity)>,
    gone: AtomicBool,
    pub writable: Writable,
}

/// Device and inode.
type Identity = (u64, u64);

impl Watch {
    /// Watches files that are open now. `lock` is the lock file that is held.
    pub fn of(path: &Path, lock: Option<&Path>) -> io::Result<Self> {
        let paths = [path.to_path_buf(), beside(path, "-wal"), beside(path, "-shm")];
        let files = paths
            .into_iter()
            .chain(lock.map(Path::to_path_buf))
            .map(|file| identity(&file).map(|identity| (file, identity)));
        let files = files.collect::<io::Result<_>>()?;
        Ok(Self { path: path.to_path_buf(), files, gone: AtomicBool::new(false), writable: Writable::default() })
    }

    /// Whether every file is at its path. Each change is logged once.
    pub fn is_in_place(&self) -> Result<(), sqlx::Error> {
        let moved = self.files.iter().find(|(path, known)| identity(path).ok() != Some(*known));
        let was_gone = self.gone.swap(moved.is_some(), Ordering::Relaxed);
        match moved {
            None => {
                if was_gone {
                    tracing::info!(path = ?self.path, "the database file is back");
                }
                Ok(())
            }
            Some((path, _)) => {
                if !was_gone {
                    tracing::error!(
                        ?path,
                        "it was deleted, replaced or moved while it was in use: nothing is stored or \
                        acknowledged any more; put it back, or restart"
                    );
                }
                let message = format!("{path:?} is not the file that was opened");
                Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::NotFound, message)))
            }
        }
    }

    /// For a database that is only read.
    pub fn none(path: &Path) -> Self {
        let path = path.to_path_buf();
        Self { path, files: Vec::new(), gone: AtomicBool::new(false), writable: Writable::default() }
    }

    /// Writes a file of the size of a large batch beside the database, and removes it.
    pub async fn try_room(&self) -> io::Result<()> {
        let trial = beside(&self.path, "-trial");
        let tried = tokio::task::spawn_blocking(move || {
            let written = write(&trial);
            // The file is removed also after an error.
            let removed = fs::remove_file(&trial);
            written.and(removed)
        });
        tried.await.map_err(io::Error::other)?
    }
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&vec![0; ROOM])?;
    file.sync_all()
}

/// A file beside the database, of SQLite or of innkeeper.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn identity(path: &Path) -> io::Result<Identity> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

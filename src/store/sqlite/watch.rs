//! Whether the open files are still the ones at their paths, and whether they can be written to.
//!
//! A database file that is deleted, replaced or moved goes on living for those who have it open: commits succeed, and are
//! lost. So device and inode of the path are compared with those found at the opening, before a write begins and after
//! its commit: three calls of the operating system, a few microseconds. The log (`-wal`) and its index (`-shm`) belong to
//! the file in the same way; a connection that is never used keeps SQLite from making them anew.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::writable::Writable;

/// What a trial write takes: more than most batches need.
const ROOM: usize = 1024 * 1024;

/// Looks after the files of one database.
pub(super) struct Watch {
    path: PathBuf,
    /// The files as they were when they were opened.
    files: Vec<(PathBuf, Identity)>,
    gone: AtomicBool,
    pub writable: Writable,
}

/// Device and inode.
type Identity = (u64, u64);

impl Watch {
    /// Of files that are open now.
    pub fn of(path: &Path) -> io::Result<Self> {
        let paths = [path.to_path_buf(), beside(path, "-wal"), beside(path, "-shm")];
        let files = paths.into_iter().map(|file| identity(&file).map(|identity| (file, identity)));
        let files = files.collect::<io::Result<_>>()?;
        Ok(Self { path: path.to_path_buf(), files, gone: AtomicBool::new(false), writable: Writable::default() })
    }

    /// Whether every file is where it was. The log says once when that changes.
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

    /// Of a database that is only read.
    pub fn none(path: &Path) -> Self {
        let path = path.to_path_buf();
        Self { path, files: Vec::new(), gone: AtomicBool::new(false), writable: Writable::default() }
    }

    /// Writes beside the database as much as a large batch takes, and removes it again.
    pub async fn try_room(&self) -> io::Result<()> {
        let trial = beside(&self.path, "-trial");
        let tried = tokio::task::spawn_blocking(move || {
            let written = write(&trial);
            // What was begun is removed in any case.
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

/// A file that SQLite or we keep beside the database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn identity(path: &Path) -> io::Result<Identity> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

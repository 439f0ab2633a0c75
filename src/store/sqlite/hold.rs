//! The lock on a database file: one program at a time.
//!
//! A server, an import and a migration hold it; programs that only read do not. It is a lock of the operating system on
//! a file beside the database, so it ends with its process, even after kill -9. The file names the holder. A lock on
//! the database file itself is no option: closing any handle to that file would drop SQLite's own locks.
//!
//! Invariant: the lock counts only on the file that is found at the path. A holder whose file was removed or replaced stops
//! writing ([`super::watch`]), because another program can take the lock then.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait for a process that is about to end.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a holder's description that are read.
const LONGEST: u64 = 500;

/// The lock. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Hold {
    path: PathBuf,
    file: File,
}

/// Why the lock was not taken.
pub(super) enum NotHeld {
    /// Another process holds it; its description.
    Taken(String),
    Failed(io::Error),
}

impl Hold {
    /// Takes the lock on a database. `who` is shown to other programs. Blocks for at most [`PATIENCE`].
    pub fn take(database: &Path, who: &str) -> Result<Self, NotHeld> {
        let path = lock_path(database).map_err(NotHeld::Failed)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match Self::try_take(&path, who) {
                Err(NotHeld::Taken(_)) if Instant::now() < until => std::thread::sleep(PAUSE),
                outcome => return outcome,
            }
        }
    }

    fn try_take(path: &Path, who: &str) -> Result<Self, NotHeld> {
        let mut file = open(path).map_err(NotHeld::Failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotHeld::Taken(read(&mut file))),
            Err(TryLockError::Error(error)) => return Err(NotHeld::Failed(error)),
        }
        // The previous holder may have removed the file between opening and locking.
        if !is_at(&file, path).map_err(NotHeld::Failed)? {
            return Err(NotHeld::Taken("a program that is just ending".to_owned()));
        }
        file.set_len(0).and_then(|()| file.write_all(who.as_bytes())).map_err(NotHeld::Failed)?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a process holds the lock on a database.
    pub fn is_taken(database: &Path) -> bool {
        let Ok(file) = lock_path(database).and_then(File::open) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Still locked: the next process sees that the file it opened is no longer at its path. When the file was removed
        // meanwhile, the one at the path belongs to another holder.
        if is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The same path for every name of the database: links are followed.
pub(super) fn lock_path(database: &Path) -> io::Result<PathBuf> {
    let real = match database.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.canonicalize()?.join(database.file_name().unwrap_or_default())
        }
        real => real?,
    };
    let mut path = real.into_os_string();
    path.push(".lock");
    Ok(path.into())
}

/// Creates the file if it is missing, readable only by its owner.
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The holder's description.
fn read(file: &mut File) -> String {
    let mut said = String::new();
    match file.take(LONGEST).read_to_string(&mut said) {
        Ok(_) if !said.trim().is_empty() => said.trim().to_owned(),
        _ => "another innkeeper".to_owned(),
    }
}

//! `innkeeper backup`: a copy of the database, also while a server uses it.

use std::path::PathBuf;

use super::{Outcome, SETTINGS_HELP, output};
use crate::app;
use crate::config::Config;
use crate::config::flags::CommonFlags;

/// Copy the SQLite file, also while a server uses it. A plain `cp` of a database in use loses what is only in its log.
///
/// The copy has everything that was committed when the command began. It gets its name when it is complete and synced to
/// disk, and only its owner can read it. To restore it: stop the server, replace the database by the copy, and remove the
/// files beside it that end in -wal and -shm. For PostgreSQL the command only names the tools to use.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Backup {
    /// Path of the copy. An existing file is refused.
    file: PathBuf,
    /// Replace an existing file when the copy is complete.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub settings: CommonFlags,
}

impl Backup {
    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        let bytes = app::back_up(&config, &self.file, self.overwrite).await?;
        output::line(format_args!("{} has everything that was committed: {bytes} bytes", self.file.display()))?;
        Ok(Outcome::Done)
    }
}

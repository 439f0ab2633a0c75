//! `innkeeper backup`: a copy of the database while a server runs on it.

use std::path::PathBuf;

use super::{Outcome, SETTINGS_HELP, output};
use crate::app;
use crate::config::Config;
use crate::config::flags::CommonFlags;

/// Copy the SQLite file, also while a server runs on it. A plain `cp` of a running database loses what is only in its log.
///
/// The copy has everything that was committed when the command began. It is complete, synced to disk and readable by its
/// owner alone when it has its name. To restore it, stop the server, put the copy in the place of the database, and remove
/// the files beside it that end in -wal and -shm. For PostgreSQL the command only says which tools to use.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Backup {
    /// Where the copy goes. A file that is there already is refused.
    file: PathBuf,
    /// Replace a file that is there already, once the copy is complete.
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

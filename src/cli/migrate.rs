//! `innkeeper migrate`: makes the database, or brings it up to date.

use super::{Outcome, SETTINGS_HELP, output, with_store};
use crate::config::Config;
use crate::config::flags::CommonFlags;

/// Create the database, or bring it up to this version. `serve` does the same when it starts.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Migrate {
    #[command(flatten)]
    pub settings: CommonFlags,
}

impl Migrate {
    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        with_store(&config, true, async |_| Ok(())).await?;
        output::line(format_args!("{} is up to date", config.database_url))?;
        Ok(Outcome::Done)
    }
}

//! `innkeeper migrate`: makes the database, or brings it up to date.

use super::{Outcome, SETTINGS_HELP};
use crate::app;
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
        app::open_store(&config, true).await?.close().await?;
        println!("{} is up to date", config.database_url);
        Ok(Outcome::Done)
    }
}

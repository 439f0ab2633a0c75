//! `innkeeper migrate`: creates the database, or migrates it to this version.

use std::sync::Arc;

use super::{Outcome, SETTINGS_HELP, demo, output, with_store};
use crate::config::Config;
use crate::config::flags::CommonFlags;
use crate::store::Store;

/// Create the database, or migrate it to this version. `serve` does the same when it starts.
///
/// A SQLite file that a server uses is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct Migrate {
    /// Fill an empty database with demo hotels.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    pub settings: CommonFlags,
}

impl Migrate {
    pub async fn run(&self, config: Config) -> anyhow::Result<Outcome> {
        let furnish = async |store: &Arc<dyn Store>| match self.demo {
            true => demo::furnish(store, &config.engine).await,
            false => Ok(()),
        };
        with_store(&config, furnish).await?;
        output::line(format_args!("{} is up to date", config.database_url))?;
        Ok(Outcome::Done)
    }
}

//! `innkeeper serve`: the reservation engine with its HTTP API.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;

use super::{Outcome, SETTINGS_HELP, demo};
use crate::app::{self, Running};
use crate::clock::{Clock, System};
use crate::config::flags::ServeFlags;
use crate::config::setting::SETTINGS;
use crate::config::{Config, Secret};
use crate::shutdown::Signals;

/// Run the reservation engine and its HTTP API. The database is made if it is not there.
///
/// SIGTERM or SIGINT (Ctrl+C) finishes the requests in flight, makes everything durable and ends; a second one ends at
/// once.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub struct Serve {
    /// Fill an empty database with demo hotels, make an administrator's token if none is set, and print both with a
    /// curl line that books a room.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    pub settings: ServeFlags,
}

/// The settings that have no flag, as they are secrets, and where settings can stand.
fn help() -> String {
    let secrets = SETTINGS.iter().filter(|setting| setting.is_secret());
    let lines: Vec<_> = secrets.map(|setting| format!("  {}: {}", setting.key, setting.explanation())).collect();
    format!("Without a flag, because a command line is no place for a secret:\n{}\n\n{SETTINGS_HELP}", lines.join("\n"))
}

impl Serve {
    pub async fn run(&self, mut config: Config) -> anyhow::Result<Outcome> {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let listener = app::bind(config.listen)?;
        if self.demo && config.admin_token.is_none() {
            config.admin_token = Some(Secret::random().context("cannot make a token")?);
        }
        let mut running = app::start(&config, listener, Arc::new(System)).await?;
        self.welcome(&config, &running).await?;
        tokio::select! {
            signal = signals.next() => tracing::info!(signal, "told to stop"),
            error = running.failed() => return Err(error.into()),
        }
        tokio::select! {
            () = running.shutdown() => Ok(Outcome::Done),
            signal = signals.next() => anyhow::bail!("stopped at once by a second {signal}"),
        }
    }

    /// Says where it can be reached. Nobody may be reading any more, which is no reason to stop.
    async fn welcome(&self, config: &Config, running: &Running) -> anyhow::Result<()> {
        let url = running.url();
        tracing::info!(url, database = config.database_url, "ready");
        let greeting = match &config.admin_token {
            Some(token) if self.demo => demo::prepare(running, System.now(), token).await?,
            token => {
                if token.is_none() {
                    tracing::warn!("nobody is administrator: set INNKEEPER_ADMIN_TOKEN to be able to change hotels");
                }
                format!("innkeeper is open at {url} (API docs: {url}/docs/)\n")
            }
        };
        let _ = write!(std::io::stdout(), "{greeting}");
        Ok(())
    }
}

//! `innkeeper serve`: the reservation engine with its HTTP API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::{Outcome, SETTINGS_HELP, demo, output};
use crate::app::{self, Running};
use crate::clock::{Clock, System};
use crate::config::Config;
use crate::config::flags::ServeFlags;
use crate::config::setting::SETTINGS;
use crate::http::connection;
use crate::secret::Secret;
use crate::shutdown::Signals;

/// Run the reservation engine and its HTTP API. A database that does not exist is created.
///
/// SIGTERM or SIGINT (Ctrl+C) finishes the requests under way, commits everything and ends. A second signal, at least a
/// second later, ends at once. So does a signal during the start.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub struct Serve {
    /// Fill an empty database with demo hotels, and print a curl line that books a room. Without a setting for the
    /// administrator's token, a token is made and printed.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    pub settings: ServeFlags,
}

/// The settings without a flag, because they are secrets, and the places for settings.
fn help() -> String {
    let secrets = SETTINGS.iter().filter(|setting| setting.is_secret());
    let lines: Vec<_> = secrets.map(|setting| format!("  {}: {}", setting.key, setting.explanation())).collect();
    format!("Without a flag, because other users can read a command line:\n{}\n\n{SETTINGS_HELP}", lines.join("\n"))
}

impl Serve {
    /// A demo does not limit public callers, unless a setting says so.
    pub fn defaults(&self) -> &'static [(&'static str, &'static str)] {
        if self.demo { &[("public_limits", "off")] } else { &[] }
    }

    pub async fn run(&self, mut config: Config) -> anyhow::Result<Outcome> {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let listeners = app::Listeners::bind(&config)?;
        allow_connections(config.max_connections);
        let mut made = None;
        if self.demo && config.admin_token.is_none() {
            made = Some(Secret::random().context("cannot make a token")?);
            config.admin_token = made.clone();
        }
        let start = async {
            let store = app::open_store_to_serve(&config, listeners.address()?).await?;
            if self.demo {
                demo::furnish(&store, &config.engine).await?;
            }
            anyhow::Ok(app::start_on(&config, listeners, Arc::new(System), store.clone(), store).await?)
        };
        let mut running = tokio::select! {
            started = start => started?,
            signal = signals.next() => anyhow::bail!("stopped by {signal} during the start"),
        };
        self.serve(&config, made.as_ref(), &mut running, &mut signals).await?;
        tokio::select! {
            () = running.shutdown() => Ok(Outcome::Done),
            signal = signals.next() => anyhow::bail!("stopped at once by a second {signal}"),
        }
    }

    /// Serves until a signal, and prints the greeting when the search index is built.
    async fn serve(
        &self,
        config: &Config,
        made: Option<&Secret>,
        running: &mut Running,
        signals: &mut Signals,
    ) -> anyhow::Result<()> {
        let (search, mut greeted) = (running.search.clone(), false);
        loop {
            tokio::select! {
                () = search.reached(0), if !greeted => {
                    self.welcome(config, made, running).await?;
                    greeted = true;
                }
                signal = signals.next() => {
                    tracing::info!(signal, "stopping because of a signal");
                    return Ok(());
                }
                error = running.failed() => return Err(error.into()),
            }
        }
    }

    /// Prints the address, and the token if it was made for this run. A token that was set is not printed, because a log
    /// may keep the greeting.
    async fn welcome(&self, config: &Config, made: Option<&Secret>, running: &Running) -> anyhow::Result<()> {
        let url = running.url();
        if config.throttle.is_none() {
            tracing::warn!(
                "public callers are not limited (public_limits is off): do not expose this server to the internet"
            );
        }
        if config.admin_token.is_none() {
            tracing::warn!("there is no administrator: set INNKEEPER_ADMIN_TOKEN to be able to change hotels");
        }
        match running.membership.may_own() {
            Ok(()) => tracing::info!(url, database = %config.database_url, "ready"),
            Err(why) => tracing::warn!(url, %why, "serving, but not ready: see /readyz"),
        }
        let greeting = match self.demo {
            true => demo::greeting(running, System.now(), made).await?,
            false => format!("innkeeper is open at {url} (API docs: {url}/docs/)\n"),
        };
        // The server does not wait for the reader of the greeting.
        output::within(Duration::ZERO, || drop(output::print(greeting)));
        Ok(())
    }
}

/// Raises the limit of open files: every connection is a file, and the soft limit of most systems is 1,024.
fn allow_connections(connections: usize) {
    // Beside the connections: the database, the listener, the log.
    let needed = u64::try_from(connection::most(connections)).unwrap_or(u64::MAX).saturating_add(128);
    match rlimit::increase_nofile_limit(needed) {
        Ok(allowed) if allowed < needed => {
            tracing::warn!(allowed, needed, "the limit of open files is too low for max_connections: see ulimit -n");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot read the limit of open files"),
    }
}

//! `innkeeper ready`: whether a server takes requests. For programs that start and watch containers.

use super::{Outcome, output};
use crate::app;
use crate::client::Client;
use crate::config::{self, Sources};

/// Ask a server whether it takes requests now.
///
/// Exit code 0: it takes requests. 1: it does not (it starts, drains, or cannot reach its database), or it does not answer
/// within two seconds. The command uses no proxy.
#[derive(Debug, clap::Args)]
pub struct Ready {
    /// Address of the server: http://host:port. Default: ops_listen of the settings, or else listen
    url: Option<String>,
}

impl Ready {
    pub async fn run(&self, sources: &Sources) -> anyhow::Result<Outcome> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => app::url(config::health(sources)?),
        };
        Client::nearby(&url)?.ready().send().await?;
        output::line(format_args!("{url} is ready"))?;
        Ok(Outcome::Done)
    }
}

//! `innkeeper ready`: whether a server takes requests, for what starts and watches containers.

use super::remote::Remote;
use super::{Outcome, output};
use crate::app;
use crate::config::{self, Sources};

/// Ask a server whether it takes requests now.
///
/// Exit code 0: it does. 1: it does not (it starts, drains, or cannot reach its database), or there is no answer within
/// two seconds. No proxy is asked.
#[derive(Debug, clap::Args)]
pub struct Ready {
    /// Where the server is: http://host:port. Default: where `serve` says how it is with these settings (ops_listen, or listen)
    url: Option<String>,
}

impl Ready {
    pub async fn run(&self, sources: &Sources) -> anyhow::Result<Outcome> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => app::url(config::health(sources)?),
        };
        Remote::nearby(&url)?.get::<serde_json::Value>("/readyz", &[]).await?;
        output::line(format_args!("{url} is ready"))?;
        Ok(Outcome::Done)
    }
}

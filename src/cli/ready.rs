//! `innkeeper ready`: whether a server takes requests, for what starts and watches containers.

use super::remote::Remote;
use super::{Outcome, output};

/// Ask a server whether it takes requests now.
///
/// Exit code 0: it does. 1: it does not (it starts, drains, or cannot reach its database), or there is no answer within
/// two seconds. No proxy is asked.
#[derive(Debug, clap::Args)]
pub struct Ready {
    /// Where the server is: http://host:port
    #[arg(default_value = "http://127.0.0.1:8080")]
    url: String,
}

impl Ready {
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        Remote::nearby(&self.url)?.get::<serde_json::Value>("/readyz", &[]).await?;
        output::line(format_args!("{} is ready", self.url))?;
        Ok(Outcome::Done)
    }
}

//! `innkeeper openapi`: the description of the HTTP API.

use super::{Outcome, output};
use crate::http;

/// Print the OpenAPI 3.1 description of the HTTP API, as `/openapi.json` serves it.
#[derive(Debug, clap::Args)]
pub struct Openapi;

impl Openapi {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        output::line(http::openapi().to_pretty_json()?)?;
        Ok(Outcome::Done)
    }
}

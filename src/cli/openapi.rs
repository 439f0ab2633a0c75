//! `innkeeper openapi`: the description of the HTTP API.

use std::io::Write;

use super::Outcome;
use crate::http;

/// Print the OpenAPI 3.1 description of the HTTP API, as `/openapi.json` serves it.
#[derive(Debug, clap::Args)]
pub struct Openapi;

impl Openapi {
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", http::openapi().to_pretty_json()?)?;
        Ok(Outcome::Done)
    }
}

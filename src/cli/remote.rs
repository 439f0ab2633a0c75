//! Another innkeeper, reached over its public API: for the commands that are clients.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// After this a request counts as not answered.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a server nearby that only says how it is.
const PATIENCE_NEARBY: Duration = Duration::from_secs(2);

/// One server.
#[derive(Debug, Clone)]
pub struct Remote {
    client: Client,
    base: String,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl Remote {
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::reached(url, Client::builder().timeout(PATIENCE))
    }

    /// One on this machine, say: asked directly whatever the environment says of proxies, and expected to answer soon.
    pub fn nearby(url: &str) -> anyhow::Result<Self> {
        Self::reached(url, Client::builder().no_proxy().timeout(PATIENCE_NEARBY))
    }

    fn reached(url: &str, client: ClientBuilder) -> anyhow::Result<Self> {
        let base = Url::parse(url).with_context(|| format!("{url:?} is no URL such as http://127.0.0.1:8080"))?;
        if base.scheme() != "http" || base.host().is_none() {
            bail!("{url:?} is not of the form http://host:port; this program is a client of plain HTTP only");
        }
        Ok(Self { client: client.build()?, base: base.as_str().trim_end_matches('/').to_owned() })
    }

    /// The address of something that speaks WebSocket.
    pub fn socket(&self, path: &str) -> String {
        format!("{}{path}", self.base.replacen("http", "ws", 1))
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Reads something that must be there.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<T> {
        let sent = self.request(Method::GET, path).query(query).send().await;
        let response = sent.with_context(|| format!("cannot reach {}", self.base))?.error_for_status()?;
        response.json().await.with_context(|| format!("{}{path} does not answer as an innkeeper does", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_with_or_without_a_slash() {
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            assert_eq!(Remote::at(url).unwrap().socket("/v1/ws"), "ws://127.0.0.1:8080/v1/ws");
        }
        for url in ["127.0.0.1:8080", "https://example.com", "ftp://example.com", "http://"] {
            assert!(Remote::at(url).is_err(), "{url}");
        }
    }
}

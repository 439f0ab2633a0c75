//! The settings of a node in a cluster, and how they depend on each other.

use std::net::SocketAddr;

use reqwest::Url;

use super::{DatabaseUrl, Error, Values};
use crate::lease::NodeId;
use crate::lease::redis::Options;
use crate::redis::Addresses;

/// The settings of a node in a cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub leases: Options,
    /// `None`: a random name.
    pub node: Option<NodeId>,
    /// `None`: the address that the node listens on.
    pub advertise_url: Option<String>,
}

const NODE: &str = "must be 1 to 64 letters, digits, dots, underscores or hyphens";
const URL: &str = "must be like http://10.0.0.5:8080, without a path";
const REDIS: &str = "must be redis:// or rediss:// addresses, separated by commas";
const SHARED: &str = "needs a database that nodes can share: set database_url to postgres://…, or leave it out";
const NEEDED: &str = "must be set where redis_url is: the nodes prove with it that they belong together";
const REACHABLE: &str = "must be set where redis_url is and the server listens on every address";

/// The settings of the cluster, if `redis_url` is set.
pub(super) fn read(values: &Values, listen: SocketAddr) -> Result<Option<Cluster>, Error> {
    let redis = values.optional("redis_url", REDIS, |text| text.parse::<Addresses>().ok())?;
    let node = values.optional("node_id", NODE, |text| text.parse::<NodeId>().ok())?;
    let advertise_url = values.optional("advertise_url", URL, origin)?;
    let secret = values.secret("cluster_secret")?;
    let ttl = values.seconds("lease_ttl_secs", 1..=300)?;
    let Some(addresses) = redis else { return Ok(None) };
    if !values.required("database_url", "", |url| Some(DatabaseUrl::new(url)))?.is_shared() {
        return Err(values.refuse("redis_url", SHARED));
    }
    if advertise_url.is_none() && listen.ip().is_unspecified() {
        return Err(values.refuse("advertise_url", REACHABLE));
    }
    let secret = secret.ok_or_else(|| values.refuse("cluster_secret", NEEDED))?;
    Ok(Some(Cluster { leases: Options { addresses, secret, ttl }, node, advertise_url }))
}

/// A URL that consists of scheme, host and port.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let web = ["http", "https"].contains(&url.scheme()) && url.has_host();
    (web && bare).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        assert_eq!(origin("http://node-1:8080/").as_deref(), Some("http://node-1:8080"));
        assert_eq!(origin("https://[::1]").as_deref(), Some("https://[::1]"));
        for wrong in ["node-1:8080", "ftp://node-1", "http://node-1/api", "http://a:b@node-1", "http://node-1?x=1", ""]
        {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}

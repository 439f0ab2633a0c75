//! Trusted proxies: their X-Forwarded-For names the client.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

/// Networks of trusted proxies. Without any, the client is the peer of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client behind a peer: the right-most address of `X-Forwarded-For` that is no trusted proxy. The client may
    /// have forged the addresses left of it. `None` if a trusted proxy sends something that is no address. `forwarded`:
    /// the values of the header in their order.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a [u8]>) -> Option<IpAddr> {
        let mut client = peer.to_canonical();
        for entry in forwarded.rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
            if !self.contains(client) {
                break;
            }
            client = address(str::from_utf8(entry).ok()?.trim())?;
        }
        Some(client)
    }
}

/// An address, optionally with a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_matches(['[', ']']).parse::<IpAddr>();
    let address = bare.or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Addresses and CIDRs, separated by commas.
impl FromStr for TrustedProxies {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let net = |item: &str| {
            let net = item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(|a| a.to_canonical().into()));
            net.map(|net| net.trunc()).map_err(drop)
        };
        text.split(',').map(|item| net(item.trim())).collect::<Result<_, ()>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("203.0.113.9", &["198.51.100.1"], "203.0.113.9")] // the peer is not trusted
    #[case("10.0.0.2", &[], "10.0.0.2")]
    #[case("10.0.0.2", &["198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.2", &["1.1.1.1, 198.51.100.1"], "198.51.100.1")] // the client forged 1.1.1.1
    #[case("10.0.0.2", &["1.1.1.1", "198.51.100.1, 10.0.0.3"], "198.51.100.1")] // two proxies, two headers
    #[case("::ffff:10.0.0.2", &["198.51.100.1:4711"], "198.51.100.1")]
    #[case("10.0.0.2", &["[2001:db8::1]:80"], "2001:db8::1")]
    #[case("10.0.0.2", &["2001:db8::1"], "2001:db8::1")]
    #[case("10.0.0.2", &["::ffff:198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.2", &["10.0.0.4, 10.0.0.3"], "10.0.0.4")] // the client is inside the trusted network
    #[case("fd00::2", &["198.51.100.1"], "198.51.100.1")]
    fn the_client_is_the_right_most_address_outside(
        #[case] peer: IpAddr,
        #[case] forwarded: &[&str],
        #[case] client: IpAddr,
    ) {
        let trusted: TrustedProxies = "10.0.0.0/8, fd00::/8".parse().unwrap();
        assert_eq!(trusted.client(peer, forwarded.iter().map(|value| value.as_bytes())), Some(client));
    }

    #[rstest]
    #[case("10.0.0.2", "198.51.100.1, unknown", None)]
    #[case("10.0.0.2", "198.51.100.1, \u{e9}", None)]
    #[case("10.0.0.2", "", None)]
    #[case("10.0.0.2", "\u{e9}, 198.51.100.1", Some("198.51.100.1"))] // what the client invented is not looked at
    #[case("203.0.113.9", "unknown", Some("203.0.113.9"))]
    fn a_trusted_proxy_names_addresses(#[case] peer: IpAddr, #[case] forwarded: &str, #[case] client: Option<&str>) {
        let trusted: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let client = client.map(|client| client.parse().unwrap());
        assert_eq!(trusted.client(peer, [forwarded.as_bytes()].into_iter()), client);
    }

    #[rstest]
    #[case("10.0.0.0/8", true)]
    #[case("10.0.0.7, ::1,192.168.0.0/16", true)]
    #[case("10.0.0.0/33", false)]
    #[case("proxy", false)]
    #[case("10.0.0.1;10.0.0.2", false)]
    #[case("", false)]
    fn proxies_are_addresses_and_networks(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(text.parse::<TrustedProxies>().is_ok(), accepted);
    }
}

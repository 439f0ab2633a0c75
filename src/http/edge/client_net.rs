//! Where a connection comes from, as far as a log may say it: the network, not the address.
//!
//! An IPv4 address is cut to 24 bits and an IPv6 address to 48, which is what one site has. Behind a balancer it is the
//! balancer's: headers that name a client are not believed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network, written like `192.0.2.0/24` or `2001:db8::/48`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientNet(IpAddr);

impl ClientNet {
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).into(),
        })
    }
}

impl fmt::Display for ClientNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("198.51.100.77", "198.51.100.0/24")]
    #[case("::ffff:198.51.100.77", "198.51.100.0/24")]
    #[case("2001:db8:1234:5678::9", "2001:db8:1234::/48")]
    #[case("::1", "::/48")]
    fn the_last_part_of_an_address_is_left_out(#[case] address: &str, #[case] net: &str) {
        assert_eq!(ClientNet::of(address.parse().unwrap()).to_string(), net);
    }
}

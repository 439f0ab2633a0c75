//! The network that counts as one client: an IPv4 address, or the /64 of one IPv6 customer.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A client's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Net {
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6(u64),
}

impl Net {
    /// An IPv4-mapped IPv6 address counts as its IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }

    /// The first 48 bits of an IPv6 network: the largest assignment to one site.
    pub fn site(self) -> Option<u64> {
        match self {
            Self::V4(_) => None,
            Self::V6(bits) => Some(bits >> 16),
        }
    }
}

/// A network for the log, which never contains a full address: 24 bits of an IPv4 address, or 48 bits of an IPv6
/// address, the size of one site. Written like `192.0.2.0/24` or `2001:db8::/48`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedNet(Net);

impl From<Net> for LoggedNet {
    fn from(net: Net) -> Self {
        Self(net)
    }
}

impl fmt::Display for LoggedNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Net::V4(address) => write!(f, "{}/24", Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
            Net::V6(bits) => write!(f, "{}/48", Net::V6(bits & (u64::MAX << 16))),
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(bits) => Ipv6Addr::from_bits(u128::from(*bits) << 64).fmt(f),
        }
    }
}

impl FromStr for Net {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        text.parse().unwrap()
    }

    #[test]
    fn a_customer_of_ipv6_is_one_net_and_mapped_ipv4_is_ipv4() {
        assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff::9"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
        assert_eq!(net("2001:db8:1:2::1").site(), net("2001:db8:1:ff::1").site());
        assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1"));
        assert_ne!(net("192.0.2.1"), net("192.0.2.2"));
    }

    #[test]
    fn a_log_leaves_out_the_last_part_of_an_address() {
        for (address, coarse) in [
            ("198.51.100.77", "198.51.100.0/24"),
            ("::ffff:198.51.100.77", "198.51.100.0/24"),
            ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(LoggedNet::from(net(address)).to_string(), coarse);
        }
    }

    #[test]
    fn a_net_reads_back_as_it_was_written() {
        for text in ["192.0.2.1", "2001:db8:1:2::1", "::1"] {
            assert_eq!(net(&net(text).to_string()), net(text));
        }
    }
}

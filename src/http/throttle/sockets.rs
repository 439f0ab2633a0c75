//! Open WebSockets of public callers, counted by network and by site.

use std::sync::Arc;

use dashmap::DashMap;

use super::net::Net;
use crate::http::problem::Exceeded;

/// The limits of open WebSockets of one network and of one IPv6 site.
const PER_NET: usize = 100;
const PER_SITE: usize = 800;
/// Retry-After of a client at its limit, in seconds. One of its own connections must close first.
const RETRY_AFTER_SECS: i64 = 60;

/// The open WebSockets by network and site. Their number is bounded by the limit of the server.
#[derive(Clone, Default)]
pub struct LiveSockets(Arc<DashMap<Owner, usize>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Net(Net),
    Site(u64),
}

/// Counts one WebSocket until it is dropped.
pub struct SocketPermit {
    sockets: LiveSockets,
    owners: Vec<Owner>,
}

impl LiveSockets {
    /// Counts a WebSocket of a network, unless the network or its site is at its limit.
    pub fn enter(&self, net: Net) -> Result<SocketPermit, Exceeded> {
        let mut permit = SocketPermit { sockets: self.clone(), owners: Vec::new() };
        let site = net.site().map(|site| (Owner::Site(site), PER_SITE));
        for (owner, limit) in [(Owner::Net(net), PER_NET)].into_iter().chain(site) {
            let mut open = self.0.entry(owner).or_default();
            if *open >= limit {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                let (window_secs, retry_after_secs) = (RETRY_AFTER_SECS.unsigned_abs(), RETRY_AFTER_SECS);
                // The entry must be unlocked before the permit is dropped, which locks it again.
                drop(open);
                return Err(Exceeded { policy: "ws-open", limit, window_secs, retry_after_secs });
            }
            *open += 1;
            permit.owners.push(owner);
        }
        Ok(permit)
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        for owner in &self.owners {
            self.sockets.0.remove_if_mut(owner, |_, open| {
                *open = open.saturating_sub(1);
                *open == 0
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_websockets_of_a_network_and_of_a_site_are_limited() {
        let sockets = LiveSockets::default();
        let net = |n: u64| Net::V6(0x2001_0db8_0001_0000 + n);
        let mut open: Vec<_> = (0..PER_NET).map(|_| sockets.enter(net(0)).unwrap()).collect();
        assert_eq!(sockets.enter(net(0)).err().unwrap().policy, "ws-open");
        open.pop();
        open.push(sockets.enter(net(0)).unwrap());
        open.extend((1..8).flat_map(|n| vec![n; PER_NET]).map(|n| sockets.enter(net(n)).unwrap()));
        assert!(sockets.enter(net(8)).is_err(), "the site is at its limit");
        open.push(sockets.enter(Net::V4([192, 0, 2, 1].into())).unwrap());
        drop(open);
        assert!(sockets.0.is_empty(), "closed WebSockets leave no entry");
    }
}

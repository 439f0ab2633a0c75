//! Open WebSockets of public callers, counted by network and by site.

use std::sync::Arc;

use dashmap::DashMap;

use super::net::Net;
use crate::http::problem::Exceeded;

/// Open WebSockets of one network, and of one site of IPv6.
const PER_NET: usize = 100;
const PER_SITE: usize = 800;
/// When a client that has reached the limit may try again: one of its own connections has to end first.
const RETRY_AFTER_SECS: i64 = 60;

/// All that are open. There are no more than the server has places for WebSockets.
#[derive(Clone, Default)]
pub struct LiveSockets(Arc<DashMap<Owner, usize>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Net(Net),
    Site(u64),
}

/// The place of one WebSocket, until it is dropped.
pub struct SocketPermit {
    sockets: LiveSockets,
    owners: Vec<Owner>,
}

impl LiveSockets {
    pub fn enter(&self, net: Net) -> Result<SocketPermit, Exceeded> {
        let mut permit = SocketPermit { sockets: self.clone(), owners: Vec::new() };
        let site = net.site().map(|site| (Owner::Site(site), PER_SITE));
        for (owner, limit) in [(Owner::Net(net), PER_NET)].into_iter().chain(site) {
            let mut open = self.0.entry(owner).or_default();
            if *open >= limit {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                let (window_secs, retry_after_secs) = (RETRY_AFTER_SECS.unsigned_abs(), RETRY_AFTER_SECS);
                // The entry is let go before the permit is, which looks at it again.
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
    fn a_network_and_a_site_have_so_many_at_once() {
        let sockets = LiveSockets::default();
        let net = |n: u64| Net::V6(0x2001_0db8_0001_0000 + n);
        let mut open: Vec<_> = (0..PER_NET).map(|_| sockets.enter(net(0)).unwrap()).collect();
        assert_eq!(sockets.enter(net(0)).err().unwrap().policy, "ws-open");
        open.pop();
        open.push(sockets.enter(net(0)).unwrap());
        open.extend((1..8).flat_map(|n| vec![n; PER_NET]).map(|n| sockets.enter(net(n)).unwrap()));
        assert!(sockets.enter(net(8)).is_err(), "the site has as many as it may have");
        open.push(sockets.enter(Net::V4([192, 0, 2, 1].into())).unwrap());
        drop(open);
        assert!(sockets.0.is_empty(), "nothing is remembered of those that have ended");
    }
}
